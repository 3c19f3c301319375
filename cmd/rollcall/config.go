package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/server"
)

func configCommand(p *program) *cobra.Command {
	return noun("config", "The settings", "", "  rollcall config print", configPrint(p))
}

type settingObject struct {
	Setting string `json:"setting" doc:"its name"`
	Value   string `json:"value" doc:"its value, as it was written; a secret is [secret]"`
	From    string `json:"from" doc:"where the value comes from: default, a file's line, environment, flag"`
}

func showSettings(origins server.Origins) []settingObject {
	all := make([]settingObject, len(origins))
	for i, o := range origins {
		all[i] = settingObject(o)
	}
	return all
}

// configPrint shows the settings also when something is wrong with them: what was read shows
// where the mistake may be.
func configPrint(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "print", Short: "Show every setting with its value and where that comes from", Args: takes(0, 0),
		Long:    "Show every setting with its value and where that comes from. Secrets are masked. What is wrong\nwith the settings is said on stderr, all of it.",
		Example: "  rollcall config print\n  rollcall config print --config /etc/rollcall.yaml --json",
	}
	cmd.RunE = p.alone(func(_ context.Context, cmd *cobra.Command, _ []string) error {
		_, origins, problems := p.settings(cmd)
		var err error
		if p.json {
			err = p.writeJSON(showSettings(origins), "  ")
		} else {
			err = origins.Print(p.stdout)
		}
		if err != nil {
			return err
		}
		return problems
	})
	server.Flags(cmd.Flags())
	return p.answersJSON(cmd, []settingObject{})
}
