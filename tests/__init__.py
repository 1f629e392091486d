"""The tests of Wellkept, and the lab of real SSH hosts they run against."""
