# /// script
# dependencies = ["demo @ file:///wheels/demo-1.0-py3-none-any.whl", "other @ https://example.org/o.zip"]
# ///
