// Package application decides what one application sees and may do.
//
// An application is mapped to directories in order. A View walks them in that order:
//
//	a user name     belongs to the first directory that has it; later ones are shadowed
//	a group name    is one group; its members come from every mapped directory when the
//	                application aggregates, else from the member's own directory
//
// Who calls is settled in credentials.go: name, then address, then password. What may happen
// inside a single directory is package directory's question.
package application
