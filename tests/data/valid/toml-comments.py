# /// script
# # Yup, 2.7.
# requires-python = '>=2.7' # "quoted" ]
# ///
