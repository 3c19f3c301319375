package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/store"
)

type versionObject struct {
	Version string `json:"version" doc:"the program's version"`
	Go      string `json:"go" doc:"the version of Go that built it"`
	System  string `json:"system" doc:"what it was built for: linux/amd64"`
	Schema  int    `json:"schema" doc:"the step of the database's schema that it needs"`
}

func versionCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{Use: "version", Short: "Show the version of the program", Args: takes(0, 0), Example: "  rollcall version --json"}
	cmd.RunE = p.alone(func(context.Context, *cobra.Command, []string) error {
		o := versionObject{Version: version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Schema: store.SchemaLevel()}
		return p.show(o, func(w *sheet) {
			w.text(fmt.Sprintf("rollcall %s (%s, %s, schema step %d)", o.Version, o.Go, o.System, o.Schema))
		})
	})
	return p.answersJSON(cmd, versionObject{})
}
