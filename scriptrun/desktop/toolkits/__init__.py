"""What shows windows: Tk, zenity, kdialog, and a notification where there is none."""
