package migrations_test

import (
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/store/migrations"
)

func TestStepsCountFromOneAndNeedNoProgramOfTheFuture(t *testing.T) {
	t.Parallel()
	for i, step := range migrations.Steps {
		if step.Number != i+1 || step.Name == "" {
			t.Errorf("want step %d with a name, got %d %q", i+1, step.Number, step.Name)
		}
		if step.OldestProgram < 1 || step.OldestProgram > step.Number {
			t.Errorf("step %d can't need a program that knows step %d", step.Number, step.OldestProgram)
		}
	}
}

func TestStatementsAreSpeltForEachDatabase(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]migrations.Dialect{"sqlite": migrations.SQLite, "postgres": migrations.PostgreSQL} {
		for _, step := range migrations.Steps {
			statements := step.Statements(d)
			text := step.SQL + "\n"
			if d == migrations.PostgreSQL {
				text += step.PostgreSQL + "\n"
			}
			if want := strings.Count(text, ";\n"); len(statements) != want {
				t.Errorf("step %d on %s: want %d statements, got %d", step.Number, name, want, len(statements))
			}
			for _, statement := range statements {
				if strings.ContainsAny(statement, "{}") {
					t.Errorf("step %d on %s has a word that Dialect doesn't know:\n%s", step.Number, name, statement)
				}
				if strings.Contains(statement, ";") {
					t.Errorf("step %d on %s has two statements in one:\n%s", step.Number, name, statement)
				}
			}
		}
	}
}
