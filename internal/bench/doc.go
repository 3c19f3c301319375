// Command bench measures the program against anchors on the same machine in the same run:
//
//	bench [--quick] [--json] [--rows PATTERN]    measure and print a table
//	bench anchor KIND                            one side of a comparison, in a process of its own
//
// A row is a ratio: ours and its anchor take turns, window by window, and the medians are
// compared. So a figure says how far the program is from a server that does nothing, and not how
// fast the machine is. Whatever is measured is also checked: a wrong answer ends the run.
//
//	program.go    builds `rollcall` and starts `rollcall serve` on a database
//	world.go      makes a database; data.go says what is in it
//	load.go       wrk: as many requests as are answered
//	sender.go     requests at a fixed rate, for latencies
//	download.go   curl: one long answer
//	anchor*.go    what ours is compared with; slapd.go is another
//	sync_cloud.go    a made-up cloud, and sync_changes.go what changes in it
//	sync_read.go     reading it bare; sync_copy.go copies the same rows
//	sync_world.go    worlds with a directory that reads it; sync_run.go runs `rollcall sync`
//	sync_*.go     a made-up cloud and what changes in it, reading it bare, copying its rows, and
//	              worlds and runs of `rollcall sync` that read it
//	measure.go    A-B-A-B, medians, spread; latency.go does the same with single requests
//	rows*.go      the rows; rows.go lists them
//	table.go      what is printed
package main
