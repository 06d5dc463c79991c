"""Tables of cases, and the steps and checks that the tests of one subject share."""
