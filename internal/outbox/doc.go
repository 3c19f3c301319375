// Package outbox delivers what rules want others to hear: letters to people, and to applications
// that something has changed for them.
//
// A letter is a row that a rule inserts in its own transaction. A webhook needs none: the feed
// is written in the transaction of each change already, and the webhook's row remembers how far
// in it the application was told. So writers don't wait for each other's rows, many changes are
// one call, no process that writes can forget it (the command line has no outbox), and an
// application is called only once GET /event has what it is called for.
//
// An alarm of a directory's synchronisation is a row, too, which is posted as JSON to the address
// that the directory's settings name.
//
//	rule  → Tx.PostLetter, Tx.PostAlarm → row  ┐
//	                                           ├ claim → deliver → remove, or move on
//	any write → feed → is there something new? ┘         └ failed: wait, longer each time
//
// A claim is a moment until which nobody else takes the row. Who is killed between claim and
// delivery loses nothing: the moment passes. A letter whose delivery was not written down in
// time is sent again, with the same Message-ID.
//
// Where webhooks may lead is decided for each connection, with the address that it really goes
// to: reach.go.
package outbox
