package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == "anchor" {
		return runAnchor(ctx, args[1])
	}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	quick := flags.Bool("quick", false, "a tenth of the data, three windows of one second")
	asJSON := flags.Bool("json", false, "print the rows as JSON")
	pattern := flags.String("rows", "", "measure only the rows whose name matches this regular `expression`")
	cloudUsers := flags.Int("cloud-users", 1_000_000, "how many users a made-up cloud has, and a tenth as many groups: to try the rows of the synchronisation on less")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	wanted, err := regexp.Compile(*pattern)
	if err != nil {
		return fmt.Errorf("--rows: %w", err)
	}
	b := &bench{quick: *quick, wanted: wanted, windows: 5, window: 5 * time.Second, cloudUsers: *cloudUsers}
	if b.quick {
		b.windows, b.window = 3, time.Second
	}
	results, err := b.run(ctx)
	if err != nil {
		return err // what was measured before a wrong answer isn't worth a table
	}
	if *asJSON {
		return printJSON(os.Stdout, results)
	}
	return printTable(os.Stdout, results)
}
