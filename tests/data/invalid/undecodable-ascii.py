# coding=ascii
# /// script
# # µ
# ///
