package google

import (
	"context"
	"errors"
	"time"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// Check gets a token and tries what a run does first. When Google gives no token for all scopes,
// each is tried alone: the answer doesn't say which one is missing.
func (s *Source) Check(ctx context.Context) (dirsync.Report, error) {
	var report dirsync.Report
	_, err := s.tokens.Get(ctx, "")
	if notDelegated(err) {
		return s.checkScopes(ctx)
	}
	if err != nil {
		return report, err
	}
	users, err := s.may(func() error {
		_, err := s.listUsers(1).Context(ctx).Do()
		return err
	})
	if err != nil {
		return report, err
	}
	groups, err := s.may(func() error { return s.tryGroups(ctx) })
	if err != nil {
		return report, err
	}
	const role = "in the Admin console, under Account, Admin roles, give it a role with this privilege (a role of its own is enough)"
	if !users && !groups {
		report.Missing = append(report.Missing, "the user "+s.subject+" is no administrator who may read the users and groups of the account "+s.customer+": "+
			"set subject to one, or, in the Admin console, under Account, Admin roles, give it a role with Users > Read and Groups > Read; it must have signed in once and accepted the terms")
		return report, nil
	}
	for _, p := range []struct {
		ok          bool
		scope, what string
	}{{users, usersScope, "Users > Read"}, {groups, groupsScope, "Groups > Read"}} {
		if p.ok {
			report.Granted = append(report.Granted, p.scope)
		} else {
			report.Missing = append(report.Missing, "the privilege "+p.what+" of the user "+s.subject+": "+role)
		}
	}
	report.Notes = append(report.Notes, "Google doesn't tell what changed: every run reads all users and groups, and each group's members with a request of its own.")
	if skew := s.client.Skew(); skew.Abs() >= time.Minute {
		report.Notes = append(report.Notes, "The clocks differ: "+clock(skew)+".")
	}
	return report, nil // a service account's key has no end
}

// may tells whether the subject may do something. Any other trouble than that it may not is an
// error.
func (s *Source) may(try func() error) (bool, error) {
	err := problem(try())
	if refused(err, "forbidden") {
		return false, nil
	}
	return err == nil, err
}

// tryGroups reads one group, and its members.
func (s *Source) tryGroups(ctx context.Context) error {
	list, err := s.listGroups().MaxResults(1).Context(ctx).Do()
	if err != nil {
		return err
	}
	if len(list.Groups) == 0 {
		return nil
	}
	_, err = s.directory.Members.List(list.Groups[0].Id).MaxResults(1).Fields("kind", memberFields).Context(ctx).Do()
	if gone(problem(err)) { // deleted since
		return nil
	}
	return err
}

// checkScopes finds out which scopes the service account was delegated.
func (s *Source) checkScopes(ctx context.Context) (report dirsync.Report, err error) {
	for _, scope := range scopes {
		_, err := s.tokenFor(ctx, scope)
		switch {
		case err == nil:
			report.Granted = append(report.Granted, scope)
		case notDelegated(err):
			report.Missing = append(report.Missing, "the scope "+scope+": "+s.delegation("this scope, written exactly so"))
		default:
			return report, err
		}
	}
	if len(report.Missing) == 0 { // each alone, but not both: Google hasn't caught up with itself
		report.Missing = append(report.Missing, "the two scopes together: the delegation is being changed; try again in some minutes")
	}
	return report, nil
}

func notDelegated(err error) bool {
	var e *cloud.Error
	return errors.As(err, &e) && e.Code == "unauthorized_client"
}
