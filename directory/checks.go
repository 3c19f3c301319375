package directory

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/models"
)

func number(from, to int) func(string) error {
	return func(value string) error {
		if n, err := strconv.Atoi(value); err != nil || n < from || n > to {
			return fmt.Errorf("%q is not a number from %d to %d", value, from, to)
		}
		return nil
	}
}

func yesNo(value string) error {
	if value != "true" && value != "false" {
		return fmt.Errorf("%q is neither true nor false", value)
	}
	return nil
}

func pattern(value string) error {
	_, err := password.NewPolicy(password.Policy{}, value)
	return err
}

func text(value string) error {
	if problem := models.TextProblem(value, models.MaxText); problem != "" {
		return errors.New(problem)
	}
	return nil
}

func join(problems []string) string { return strings.Join(problems, "; ") }

// suggestion names the settings that the kind has.
func suggestion(k models.Kind) string {
	var names []string
	for _, s := range kinds[k].settings {
		names = append(names, s.Name)
	}
	return "; it has " + strings.Join(names, ", ")
}
