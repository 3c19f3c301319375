package models_test

import (
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/models"
)

func TestMailAddresses(t *testing.T) {
	for _, address := range []string{"ada@example.test", "a.b+c@example.test", "o'brien@example.test", "ada@localhost", "zoë@exämple.test"} {
		if problem := models.EmailProblem(address); problem != "" {
			t.Errorf("EmailProblem(%q) = %q", address, problem)
		}
	}
	for _, address := range []string{
		"", "ada", "@example.test", "ada@", "ada@example.test, bob@example.test", "Ada <ada@example.test>", "<ada@example.test>",
		"ada@example.test (Ada)", `"ada b"@example.test`, " ada@example.test", "ada@example.test\r\nBcc: bob@example.test",
		"ada@exam\x00ple.test", "ada@@example.test", "\xff@example.test", strings.Repeat("x", 250) + "@example.test",
	} {
		if models.EmailProblem(address) == "" {
			t.Errorf("EmailProblem(%q) is empty, want a problem", address)
		}
	}
}
