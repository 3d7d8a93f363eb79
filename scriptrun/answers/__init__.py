"""What pip answered, kept so that it is not asked the same question twice; below `pip/` in a cache.

(The directory `answers/` there is another thing: which environment a launch needs, see `scriptrun.launch`.)
"""
