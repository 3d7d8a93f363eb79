#!/usr/bin/python
# -*- coding: ascii -*-
# /// script
# dependencies = ["demo"]
# # µ
# ///
