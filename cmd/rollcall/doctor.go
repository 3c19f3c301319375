package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/internal/doctor"
	"github.com/rollcall-id/rollcall/server"
)

type doctorObject struct {
	OK     bool          `json:"ok" doc:"no check found a problem"`
	Checks []checkObject `json:"checks" doc:"the checks, in order"`
}

type checkObject struct {
	Number   int             `json:"number" doc:"its number, from 1"`
	Check    string          `json:"check" doc:"what was looked at"`
	OK       bool            `json:"ok" doc:"all is well"`
	Skipped  bool            `json:"skipped" doc:"it could not be looked at"`
	Note     string          `json:"note,omitempty" doc:"more about it"`
	Problems []problemObject `json:"problems" doc:"what is wrong"`
	Fixed    []string        `json:"fixed" doc:"what --fix mended"`
}

type problemObject struct {
	What string `json:"what" doc:"what is wrong"`
	Do   string `json:"do" doc:"what to do about it"`
}

func doctorCommand(p *program) *cobra.Command {
	var fix bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look whether all is well, and say what to do where it isn't", Args: takes(0, 0),
		Long: `Look whether all is well, and say what to do where it isn't. It works while the server runs.
The exit code is 1 when there are problems.

With --fix it mends what can be mended without loss: it makes lost indexes again, and removes
rows whose owner is gone and sessions that have ended. It never removes a user or a group.`,
		Example: "  rollcall doctor\n  rollcall doctor --fix --json",
	}
	cmd.RunE = p.alone(func(ctx context.Context, cmd *cobra.Command, _ []string) error {
		c, _, err := p.settings(cmd)
		if err != nil {
			return err
		}
		patient := p.patient(ctx, c)
		patient.Fix = fix
		findings := doctor.Examine(ctx, patient)
		if patient.Store != nil {
			err = patient.Store.Close()
		}
		return errors.Join(p.diagnosis(findings), err)
	})
	cmd.Flags().BoolVar(&fix, "fix", false, "mend what can be mended without loss")
	return p.answersJSON(cmd, doctorObject{})
}

// patient gathers what is examined. A database that isn't there is not made.
func (p *program) patient(ctx context.Context, c server.Config) doctor.Case {
	patient := doctor.Case{Certificate: c.TLSCertFile, Now: time.Now(), By: operator()}
	if file, ok := c.DatabaseURL.SQLitePath(); ok {
		patient.Private = []string{file}
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			patient.Unopened = fmt.Errorf("there is no database at %s yet", c.DatabaseURL)
			return patient
		}
	}
	_, from, err := server.ResolveSecretKey(c)
	if err != nil {
		patient.Unopened = err
		return patient
	}
	patient.Key = from
	d, err := p.open(ctx, c)
	if err != nil {
		patient.Unopened = err
		return patient
	}
	patient.Store = d.Store
	return patient
}

// diagnosis writes what was found; errProblems when that isn't nothing.
func (p *program) diagnosis(findings []doctor.Finding) error {
	o := doctorObject{OK: true, Checks: []checkObject{}}
	problems := int64(0)
	for _, f := range findings {
		shown := checkObject{Number: f.Number, Check: f.Check, OK: len(f.Problems) == 0 && !f.Skipped, Skipped: f.Skipped, Note: f.Note,
			Problems: []problemObject{}, Fixed: filled(f.Fixed)}
		for _, problem := range f.Problems {
			shown.Problems = append(shown.Problems, problemObject(problem))
		}
		problems += int64(len(f.Problems))
		o.OK = o.OK && shown.OK
		o.Checks = append(o.Checks, shown)
	}
	err := p.show(o, func(w *sheet) {
		for _, c := range o.Checks {
			writeCheck(w, c)
		}
		if o.OK {
			w.text("all is well")
		} else {
			w.text(count(problems, "problem") + " found")
		}
	})
	if err == nil && !o.OK {
		err = errProblems
	}
	return err
}

func writeCheck(w *sheet, c checkObject) {
	verdict := "OK"
	switch {
	case c.Skipped:
		verdict = "SKIPPED"
	case !c.OK:
		verdict = "PROBLEM"
	}
	name := fmt.Sprintf("%2s  %-7s  %s", strconv.Itoa(c.Number), verdict, c.Check)
	if c.Note != "" {
		name += ": " + c.Note
	}
	w.text(name)
	for _, text := range c.Fixed {
		w.text("             fixed: " + text)
	}
	for _, problem := range c.Problems {
		w.text("             " + problem.What)
		w.text("             do: " + problem.Do)
	}
}
