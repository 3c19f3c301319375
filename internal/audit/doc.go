// Package audit writes down what changes no row: refused logins, refused applications. What
// changes a row is audited by package store, in the transaction of the change.
//
// Whoever tries passwords at random must neither fill the database nor go uncounted, so equal
// refusals become few rows that say how many they stand for:
//
//	the first of its kind     a row, within a second
//	those that follow it      one row, at the end of the window, with their count
//	too many different ones   one row for each action and outcome, with their count
//
// Nothing waits for the database. While it is away, refusals are kept within the same bounds.
package audit
