#/// script

#/// script

#/// script

#/// script

#/// script

#/// script

#/// script

#/// script

#/// script

