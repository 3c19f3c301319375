package password

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// ErrPolicy is what every refusal of a Policy is, by errors.Is. The text of the refusal
// is a sentence for the person who chose the password, and never repeats it.
var ErrPolicy = errors.New("the password does not meet the policy")

// A Policy tells which new passwords a directory takes. It applies when a password is
// set, never at login. The zero Policy takes everything that is not blank.
type Policy struct {
	MinLength int    // in characters; 0 is no minimum
	MaxLength int    // in characters; 0 leaves only the limit of MaxLength bytes
	Message   string // the directory's own words for what it wants
	History   int    // how many former passwords must not come back; see CheckHistory

	regex *regexp.Regexp
}

// Strict is what our own pages propose. As NIST SP 800-63B advises, it asks for length
// and not for kinds of characters.
var Strict = Policy{MinLength: 12, MaxLength: 256}

// MaxHistory bounds Policy.History: each former password costs a hash to compare.
const MaxHistory = 10

// NewPolicy returns the policy p which also wants regex to match somewhere in the
// password; an empty regex asks nothing. The error names every setting that is wrong.
func NewPolicy(p Policy, regex string) (Policy, error) {
	var errs []error
	if p.MinLength < 0 || p.MinLength > MaxLength {
		errs = append(errs, fmt.Errorf("minimum length must be 0 to %d", MaxLength))
	}
	if p.MaxLength < 0 || (p.MaxLength > 0 && p.MaxLength < p.MinLength) {
		errs = append(errs, errors.New("maximum length must be 0 or at least the minimum length"))
	}
	if p.History < 0 || p.History > MaxHistory {
		errs = append(errs, fmt.Errorf("history must be 0 to %d", MaxHistory))
	}
	p.regex = nil
	if regex != "" {
		re, err := regexp.Compile(regex)
		switch {
		case err == nil:
			p.regex = re
		case strings.Contains(regex, "(?=") || strings.Contains(regex, "(?!"):
			// Crowd's are Java's, and the usual recipe for them is a chain of lookaheads.
			errs = append(errs, fmt.Errorf("regular expression: lookaheads are not supported: %w", err))
		default:
			errs = append(errs, fmt.Errorf("regular expression: %w", err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Policy{}, fmt.Errorf("password policy: %w", err)
	}
	return p, nil
}

// Regex returns the regular expression given to NewPolicy.
func (p Policy) Regex() string {
	if p.regex == nil {
		return ""
	}
	return p.regex.String()
}

// A refusal is an ErrPolicy with a sentence of its own.
type refusal string

func (r refusal) Error() string        { return string(r) }
func (r refusal) Is(target error) bool { return target == ErrPolicy }

// Check returns nil if the policy takes password, else an ErrPolicy.
func (p Policy) Check(password string) error {
	if strings.TrimSpace(password) == "" {
		return refusal("You cannot have an empty password")
	}
	if len(password) > MaxLength {
		return refusal(fmt.Sprintf("The new password must not be longer than %d bytes", MaxLength))
	}
	length := utf8.RuneCountInString(password)
	switch {
	case length < p.MinLength:
		return p.complain(fmt.Sprintf("at least %d characters", p.MinLength))
	case p.MaxLength > 0 && length > p.MaxLength:
		return p.complain(fmt.Sprintf("at most %d characters", p.MaxLength))
	case p.regex != nil && !p.regex.MatchString(password):
		return p.complain("")
	}
	return nil
}

// CheckHistory returns nil unless password opens one of the first p.History credentials
// of old, which come newest first; then it returns an ErrPolicy. Each comparison costs
// a hash, and has Hasher.Check's errors. Credentials that we cannot read are no
// password's, so they are passed over.
func (p Policy) CheckHistory(ctx context.Context, h *Hasher, old []string, password string) error {
	for _, encoded := range old[:min(len(old), max(p.History, 0), MaxHistory)] {
		verdict, err := h.Check(ctx, encoded, password)
		switch {
		case errors.Is(err, ErrUnknownScheme):
			continue
		case err != nil:
			return fmt.Errorf("compare with former passwords: %w", err)
		case verdict.OK:
			return refusal(fmt.Sprintf("The new password must differ from the last %d passwords", p.History))
		}
	}
	return nil
}

// complain is the sentence that Crowd sends, with the directory's own words or ours.
func (p Policy) complain(ours string) error {
	const sentence = "The new password does not meet the directory complexity requirements"
	switch {
	case p.Message != "":
		return refusal(sentence + ": " + p.Message)
	case ours != "":
		return refusal(sentence + ": " + ours)
	}
	return refusal(sentence)
}
