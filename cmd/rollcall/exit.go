package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/server"
)

// The exit codes. A script may rely on them.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitPending      = 3
	exitHeld         = 4
	exitNotPermitted = 5
	exitConflict     = 6
)

// exitCodes documents them, in their order.
var exitCodes = []struct {
	code int
	doc  string
}{
	{exitDone, "done, or nothing to do"},
	{exitFailed, "failed; also: what was named does not exist, `doctor` found problems"},
	{exitUsage, "wrong usage: an unknown command or flag, an argument or a setting that makes no sense, a confirmation that is missing"},
	{exitPending, "changes pending"},
	{exitHeld, "held by the guard"},
	{exitNotPermitted, "not permitted"},
	{exitConflict, "conflict: the name is taken, the membership is there already, or the plan to approve has moved on"},
}

// An answer says how a failure is told at the command line.
type answer struct {
	exit     int
	sentence string // with the failure's subject for %s; a message of the failure's own goes before it
	hint     string // what to do; %s is the subject
}

// answers is the only place that says which exit code a failure has.
var answers = map[models.Code]answer{
	models.IllegalArgument:   {exitUsage, "%s makes no sense here", ""},
	models.UserNotFound:      {exitFailed, "there is no user %s", "rollcall user list lists the users of a directory"},
	models.GroupNotFound:     {exitFailed, "there is no group %s", "rollcall group list lists the groups of a directory"},
	models.DirectoryNotFound: {exitFailed, "there is no directory %s", "rollcall directory list lists them"},
	models.AppNotFound:       {exitFailed, "there is no application %s", "rollcall app list lists them"},
	models.MappingNotFound:   {exitFailed, "the application isn't mapped to directory %s", "rollcall app show lists its directories"},
	models.AliasNotFound:     {exitFailed, "%s has no alias", "rollcall app alias list lists an application's aliases"},
	models.NotMember:         {exitFailed, "%s isn't a member", "rollcall group show lists a group's members"},
	models.AlreadyMember:     {exitConflict, "%s is a member already", ""},
	models.InvalidUser:       {exitUsage, "%s can't be a user", ""},
	models.InvalidGroup:      {exitUsage, "%s can't be a group", ""},
	models.InvalidMembership: {exitFailed, "%s can't be a member", ""},
	models.InvalidCredential: {exitFailed, "the password can't be taken", "rollcall directory show shows a directory's rules for passwords"},
	models.InvalidPassword:   {exitFailed, "the password is wrong", ""},
	models.UserInactive:      {exitFailed, "%s is inactive", "rollcall user enable %s"},
	models.PasswordExpired:   {exitFailed, "the password has expired", "rollcall user password %s"},
	models.LoginDenied:       {exitNotPermitted, "%s may not log in there", ""},
	models.InvalidEmail:      {exitUsage, "%s is no mail address", ""},
	models.EventTokenExpired: {exitFailed, "the events since then are no longer known", ""},
	models.WebhookNotFound:   {exitFailed, "there is no webhook %s", ""},
	models.InvalidToken:      {exitFailed, "the token isn't valid", ""},
	models.PermissionDenied:  {exitNotPermitted, "this isn't allowed for %s", ""},
	models.Unsupported:       {exitFailed, "%s can't do that", ""},
	models.NameTaken:         {exitConflict, "the name %s is taken", ""},
	models.AppUnauthorized:   {exitNotPermitted, "the application's name or password is wrong", ""},
	models.AddressForbidden:  {exitNotPermitted, "%s may not call from there", ""},
	models.RequestTooLarge:   {exitFailed, "that is too large", ""},
	models.UnsupportedMedia:  {exitFailed, "that form of data isn't known", ""},
	models.NotAcceptable:     {exitFailed, "there is no such form of answer", ""},
	models.NoSuchResource:    {exitFailed, "there is no such thing", ""},
	models.MethodNotAllowed:  {exitFailed, "that can't be done with it", ""},
	models.Busy:              {exitFailed, "too much is going on", "try again"},
	models.Unavailable:       {exitFailed, "the database can't be reached", "look at the database, and at ROLLCALL_DATABASE_URL in rollcall config print"},
	models.StorageFull:       {exitFailed, "the database has no space left", "make room; nothing was changed"},
	models.LeaseLost:         {exitFailed, "another process synchronises directory %s now", "rollcall sync history lists its runs"},
	models.SyncFailed:        {exitFailed, "directory %s could not be synchronised", "rollcall directory test %s asks the source what is wrong"},
	models.PlanMoved:         {exitConflict, "the plan is another one now", "rollcall sync NAME shows the present plan and its hash"},
	models.Internal:          {exitFailed, "something failed", ""},
}

// A usageError is a command line that makes no sense.
type usageError struct {
	text string
	hint string
}

func (e *usageError) Error() string { return e.text }

// wrongUsage makes one, with what to do instead.
func wrongUsage(hint, format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...), hint: hint}
}

// usageOf makes a usage error of what went wrong before the command began.
func usageOf(cmd *cobra.Command, err error) error {
	if _, ok := errors.AsType[*usageError](err); ok {
		return err
	}
	return wrongUsage(cmd.CommandPath()+" --help", "%v", err)
}

// A conflict is a failure that means: it is there already.
type conflict struct{ error }

func (c conflict) Unwrap() error { return c.error }

// taken tells a name that is in use from one that can't be: both have the same code. lookup
// finds whatever has the name.
func taken(err error, lookup func() error) error {
	if (models.Is(err, models.InvalidUser) || models.Is(err, models.InvalidGroup)) && lookup() == nil {
		return conflict{err}
	}
	return err
}

// exitWith ends a command that has said all there is to say.
type exitWith int

func (e exitWith) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// errProblems ends a command that has told of its problems already.
var errProblems = errors.New("problems were found")

// tell writes a failure to stderr, with what to do about it, and gives the exit code.
func (p *program) tell(err error) int {
	exit, lines, hint := exitFailed, []string{err.Error()}, ""
	usage, isUsage := errors.AsType[*usageError](err)
	problems, isSettings := errors.AsType[server.Problems](err)
	known, isKnown := errors.AsType[*models.Error](err)
	silent, isSilent := errors.AsType[exitWith](err)
	switch {
	case isSilent:
		return int(silent)
	case errors.Is(err, errProblems):
		return exitFailed
	case isUsage:
		exit, lines, hint = exitUsage, []string{usage.text}, usage.hint
	case isSettings:
		exit, lines, hint = exitUsage, strings.Split(problems.Error(), "\n"), "docs/configuration.md explains the settings"
	case isKnown:
		exit, lines, hint = told(known, err)
	case errors.Is(err, context.Canceled):
		lines = []string{"interrupted; nothing was changed unless it was said above"}
	case errors.Is(err, fs.ErrPermission):
		exit = exitNotPermitted
	}
	for _, line := range lines {
		fmt.Fprintln(p.stderr, "error: "+line)
	}
	if hint != "" {
		fmt.Fprintln(p.stderr, "hint: "+hint)
	}
	return exit
}

// names tells whether a sentence has the subject in it already, as a word of its own.
func names(sentence, subject string) bool {
	words := strings.FieldsFunc(sentence, func(r rune) bool { return strings.ContainsRune(" <>:;,\"'", r) })
	return subject == "" || slices.Contains(words, subject) || strings.Contains(sentence, "<"+subject+">")
}

// told words a failure that has a code.
func told(e *models.Error, err error) (exit int, lines []string, hint string) {
	a := answers[e.Code]
	exit, hint = a.exit, strings.ReplaceAll(a.hint, "%s", e.Subject)
	if _, ok := errors.AsType[conflict](err); ok {
		exit = exitConflict
	}
	sentence := strings.ReplaceAll(a.sentence, "%s", e.Subject)
	if e.Message != "" {
		sentence = strings.TrimSuffix(e.Message, ".")
		if !names(sentence, e.Subject) {
			sentence += ": " + e.Subject
		}
	}
	lines = []string{strings.TrimSpace(sentence)}
	if e.Err != nil && !strings.Contains(sentence, e.Err.Error()) { // whoever types commands is the operator: the cause is for them
		lines = append(lines, "cause: "+e.Err.Error())
	}
	return exit, lines, hint
}
