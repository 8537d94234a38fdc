/* global Realm */
// Where a login with Google and others ends (`redirectUrl`): tells the window that asked for it.
Realm.handleAuthRedirect()
