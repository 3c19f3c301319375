package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rollcall-id/rollcall/server"
)

// commonSettings are those that every command may need; `serve` has a flag for each setting.
var commonSettings = []string{"database-url", "secret-key", "data-dir"}

func init() { cobra.EnableCommandSorting = false } // help lists commands in the order of use

// newRoot makes the command line of one run.
func newRoot(p *program) *cobra.Command {
	root := noun("rollcall", "Users and groups for Crowd clients", `Rollcall answers Atlassian Crowd's REST API.

Settings are read from defaults, then a YAML file (--config), then the environment
(ROLLCALL_…), then flags; rollcall config print shows them. Commands work while the server
runs and while it doesn't.`, `  rollcall directory create staff
  rollcall app create jira --directory staff --address 10.1.2.3
  rollcall serve`,
		serveCommand(p), directoryCommand(p), appCommand(p), userCommand(p), groupCommand(p),
		syncCommand(p), explainCommand(p), auditCommand(p), doctorCommand(p), demoCloudCommand(p), configCommand(p), versionCommand(p))
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpCommand(helpCommand(root))
	server.Flags(root.PersistentFlags(), commonSettings...)
	return root
}

// noun makes a command that only has commands below it.
func noun(name, short, long, example string, below ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: name, Short: short, Long: long, Example: example,
		Args:               cobra.ArbitraryArgs,
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true}, // the command's name is what is wrong
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%s needs a command: %s", cmd.CommandPath(), strings.Join(namesBelow(cmd), ", "))
			}
			return fmt.Errorf("%s has no command %q%s", cmd.CommandPath(), args[0], didYouMean(args[0], namesBelow(cmd), ""))
		},
	}
	cmd.AddCommand(below...)
	return cmd
}

func namesBelow(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// takes checks how many arguments there are; a negative most is any number.
func takes(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return fmt.Errorf("something is missing: %s", synopsis(cmd))
		case most >= 0 && len(args) > most:
			return fmt.Errorf("%q is one argument too many: %s", args[most], synopsis(cmd))
		}
		return nil
	}
}

// synopsis is how a command is called: "rollcall directory rename NAME NEW-NAME".
func synopsis(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return cmd.Use
	}
	return cmd.Parent().CommandPath() + " " + cmd.Use
}

func flagError(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	name := unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		return fmt.Errorf("%s has no flag -%s", cmd.CommandPath(), name)
	}
	return fmt.Errorf("%s has no flag --%s%s", cmd.CommandPath(), name, didYouMean(name, known, "--"))
}

// didYouMean proposes what somebody may have meant to type; it is empty where nothing is near.
func didYouMean(typed string, known []string, prefix string) string {
	nearest, least := "", max(2, len(typed)/3)+1
	for _, k := range known {
		d := server.Distance(typed, k)
		if strings.HasPrefix(k, typed) {
			d = min(d, 1)
		}
		if d < least {
			nearest, least = k, d
		}
	}
	if nearest == "" {
		return ""
	}
	return "; did you mean " + prefix + nearest + "?"
}

func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]...", Short: "Show how a command is used", Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return fmt.Errorf("%s has no command %q%s", cmd.CommandPath(), rest[0], didYouMean(rest[0], namesBelow(cmd), ""))
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// ownFlags gives the flags of a command that aren't settings: those have a page of their own.
func ownFlags(cmd *cobra.Command) *pflag.FlagSet {
	settings := pflag.NewFlagSet("", pflag.ContinueOnError)
	server.Flags(settings)
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	own.SortFlags = false
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if settings.Lookup(f.Name) == nil && f.Name != "help" {
			own.AddFlag(f)
		}
	})
	return own
}

const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{if ne .Use .Name}}{{.UseLine}}
  {{end}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Settings:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

{{.CommandPath}} COMMAND --help says more about a command.{{end}}
`
