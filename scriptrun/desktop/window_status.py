"""The exit statuses by which windows answer; the program `window.py`, which stands alone, has them too."""

CLOSED, RUN, CANCEL = 10, 11, 12
