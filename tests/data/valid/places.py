# /// script
# "depend\u0065ncies" = [ # ] "not one"
#   "demo", 'other', # [
#   """
# one; python_version > '3' or "]" != ''""" , "two"
#
#   ,'three',
# ]
# ///
