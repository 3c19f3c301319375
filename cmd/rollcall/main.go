// Command rollcall answers Atlassian Crowd's REST API from one binary, and manages from the
// command line what it answers. docs/cli.md lists the commands; it is made from them.
//
//	main.go         one run of the program: its streams, signals, exit code
//	root.go         the command `rollcall`, and what commands are made with
//	desk.go         what a command works at: the services over the database, and on whose behalf
//	exit.go         exit codes, and how failures are told
//	output.go       tables for people, JSON for scripts, warnings
//	confirm.go      asking before something is deleted
//	secretinput.go  passwords: from stdin, a file or a prompt, never from an argument
//	shown.go        the JSON objects
//
// All other files are one noun of the command line each. A command reads its flags, calls one
// service and prints.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set when the program is built: -ldflags '-X main.version=v1.2.3'.
var version = "dev"

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the first signal asks politely; a second one ends the program at once
	p := &program{stdin: os.Stdin, environ: os.Environ(), output: output{stdout: os.Stdout, stderr: os.Stderr}}
	return p.run(ctx, os.Args[1:])
}

// A program is one run of it.
type program struct {
	output
	stdin   io.Reader
	environ []string

	ran bool // a command was found and its arguments make sense: what fails from here on isn't usage
}

// run runs the command line and gives the exit code.
func (p *program) run(ctx context.Context, args []string) int {
	root := newRoot(p)
	root.SetArgs(args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	return p.ended(cmd, err)
}

// ended tells of a failure and gives the exit code.
func (p *program) ended(cmd *cobra.Command, err error) int {
	if err == nil {
		return exitDone
	}
	if !p.ran {
		err = usageOf(cmd, err)
	}
	return p.tell(err)
}
