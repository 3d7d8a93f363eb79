#!/usr/bin/python

import requests
