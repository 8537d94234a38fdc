// The only form of a page that hands an answer on to the application. Without this file the person presses its button.
document.forms[0].submit()
