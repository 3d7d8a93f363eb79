# /// script
# requires-python = ">=3.8"
# dependencies = [
#     "marimo==1.0",
#     "demo==1.0",
# ]
# [tool.marimo.runtime]
# auto_instantiate = false
# [tool.marimo.display]
# theme = "dark"
# ///

import marimo

__generated_with = "0.1.0"
app = marimo.App(width="medium")


@app.cell
def _():
    import demo

    print("demo", demo.V)
    return (demo,)


if __name__ == "__main__":
    app.run()
