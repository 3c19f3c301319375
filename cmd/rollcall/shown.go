package main

import (
	"encoding/json"
	"maps"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// The objects that --json writes. Scripts read them: fields are added, and never renamed or
// given another meaning. Each has its sentence for docs/cli.md. A time is in UTC with
// milliseconds, and left out where it never was.

type directoryObject struct {
	Name        string            `json:"name" doc:"its name"`
	Kind        string            `json:"kind" doc:"who may write it: internal"`
	Description string            `json:"description" doc:"the operator's words"`
	Active      bool              `json:"active" doc:"applications see it"`
	Permissions string            `json:"permissions" doc:"what applications may change at all: all, read, or words with commas, as --permit takes them"`
	Settings    map[string]string `json:"settings" doc:"settings that were set; a secret one is [secret]"`
	Created     string            `json:"created" doc:"when it was created"`
	Updated     string            `json:"updated" doc:"when it was changed last"`
}

func showDirectory(dir *models.Directory) directoryObject {
	settings := maps.Clone(dir.Settings)
	for _, s := range directory.Settings(dir.Kind) {
		if _, set := settings[s.Name]; set && s.Secret {
			settings[s.Name] = models.Secret("secret").String()
		}
	}
	return directoryObject{
		Name: dir.Name, Kind: string(dir.Kind), Description: dir.Description, Active: dir.Active,
		Permissions: dir.Permissions.String(), Settings: settings, Created: stamp(dir.CreatedAt), Updated: stamp(dir.UpdatedAt),
	}
}

type contentsObject struct {
	Users        int64    `json:"users" doc:"how many users it has"`
	Groups       int64    `json:"groups" doc:"how many groups it has"`
	Memberships  int64    `json:"memberships" doc:"how many users are in a group, each counted once for each group"`
	Applications []string `json:"applications" doc:"names of the applications that are mapped to it"`
}

func showContents(c store.DirectoryContents) contentsObject {
	return contentsObject{Users: c.Users, Groups: c.Groups, Memberships: c.Memberships, Applications: filled(c.Applications)}
}

type directoryDetails struct {
	directoryObject
	contentsObject
	Sync *syncObject `json:"sync,omitempty" doc:"of a directory that is kept equal to a source: its synchronisation"`
}

type deletedObject struct {
	Deleted   string `json:"deleted" doc:"the name of what was deleted"`
	Directory string `json:"directory,omitempty" doc:"of a user or group: the directory it was in"`
}

type deletedDirectory struct {
	Deleted string `json:"deleted" doc:"the directory's name"`
	contentsObject
}

type userObject struct {
	Name        string `json:"name" doc:"the name they log in with"`
	Directory   string `json:"directory" doc:"the directory they are in"`
	FirstName   string `json:"firstName" doc:"first name"`
	LastName    string `json:"lastName" doc:"last name"`
	DisplayName string `json:"displayName" doc:"name as applications show it"`
	Email       string `json:"email" doc:"mail address"`
	Active      bool   `json:"active" doc:"may log in"`
	ExternalID  string `json:"externalId" doc:"its name for good, also after a rename"`
	Created     string `json:"created" doc:"when it was created"`
	Updated     string `json:"updated" doc:"when it was changed last"`
}

func showUser(dir *models.Directory, u *models.User) userObject {
	return userObject{
		Name: u.Name, Directory: dir.Name, FirstName: u.FirstName, LastName: u.LastName, DisplayName: u.DisplayName, Email: u.Email,
		Active: u.Active, ExternalID: u.ExternalID, Created: stamp(u.CreatedAt), Updated: stamp(u.UpdatedAt),
	}
}

type userDetails struct {
	userObject
	HasPassword       bool                `json:"hasPassword" doc:"a password is stored, so they can log in with one"`
	PasswordChanged   string              `json:"passwordChanged,omitempty" doc:"when the password was set"`
	MustChange        bool                `json:"mustChange" doc:"the next login is answered with an expired password"`
	FailedAttempts    int                 `json:"failedAttempts" doc:"wrong passwords since the last right one"`
	LastAuthenticated string              `json:"lastAuthenticated,omitempty" doc:"when a password was right last"`
	Attributes        map[string][]string `json:"attributes" doc:"attributes by name"`
	Groups            []string            `json:"groups" doc:"groups they are in directly"`
	NestedGroups      []string            `json:"nestedGroups" doc:"groups they are in through other groups only"`
}

type groupObject struct {
	Name        string `json:"name" doc:"its name"`
	Directory   string `json:"directory" doc:"the directory it is in"`
	Description string `json:"description" doc:"what it is for"`
	Active      bool   `json:"active" doc:"it is in use"`
	ExternalID  string `json:"externalId" doc:"its name for good"`
	Created     string `json:"created" doc:"when it was created"`
	Updated     string `json:"updated" doc:"when it was changed last"`
}

func showGroup(dir *models.Directory, g *models.Group) groupObject {
	return groupObject{Name: g.Name, Directory: dir.Name, Description: g.Description, Active: g.Active,
		ExternalID: g.ExternalID, Created: stamp(g.CreatedAt), Updated: stamp(g.UpdatedAt)}
}

type groupDetails struct {
	groupObject
	Users   []string `json:"users" doc:"users directly in it"`
	Groups  []string `json:"groups" doc:"groups directly in it"`
	Parents []string `json:"parents" doc:"groups that it is directly in"`
}

type membersObject struct {
	Group     string   `json:"group" doc:"the group that was changed"`
	Directory string   `json:"directory" doc:"the directory it is in"`
	Users     []string `json:"users" doc:"users that were added or removed"`
	Groups    []string `json:"groups" doc:"groups that were added or removed"`
}

type auditObject struct {
	At        string          `json:"at" doc:"when"`
	ActorKind string          `json:"actorKind" doc:"operator, application or system"`
	Actor     string          `json:"actor" doc:"who did it or tried to"`
	Address   string          `json:"address,omitempty" doc:"from which address; none for commands"`
	Request   string          `json:"request,omitempty" doc:"the id of the request, as in the server's log"`
	Action    string          `json:"action" doc:"what: user.create, login.refused …"`
	Outcome   string          `json:"outcome" doc:"done, or why it was refused"`
	Subject   string          `json:"subject" doc:"whom or what it concerns"`
	Directory string          `json:"directory,omitempty" doc:"in which directory"`
	Before    json.RawMessage `json:"before,omitempty" doc:"what it was; without secrets"`
	After     json.RawMessage `json:"after,omitempty" doc:"what it is now; without secrets"`
	Count     int             `json:"count" doc:"how many equal refusals the entry stands for"`
}

func showAudit(e *models.AuditEntry) auditObject {
	return auditObject{
		At: stamp(e.At), ActorKind: string(e.ActorKind), Actor: e.Actor, Address: e.Address, Request: e.Request, Action: e.Action,
		Outcome: e.Outcome, Subject: e.Subject, Directory: e.Directory, Before: json.RawMessage(e.Before), After: json.RawMessage(e.After), Count: e.Count,
	}
}

// filled gives a list that is [] in JSON rather than null.
func filled(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
