package main

import (
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

type appObject struct {
	Name        string           `json:"name" doc:"the name it authenticates with"`
	Description string           `json:"description" doc:"the operator's words"`
	Active      bool             `json:"active" doc:"it may call"`
	Aggregate   bool             `json:"aggregate" doc:"memberships come from every directory, not only from the user's own"`
	LowerCase   bool             `json:"lowerCase" doc:"names are given out in lower case"`
	Nested      bool             `json:"nested" doc:"groups in groups count"`
	Addresses   []string         `json:"addresses" doc:"from where it may call"`
	Passwords   []passwordObject `json:"passwords" doc:"its passwords, without what would help to guess them"`
	Mappings    []mappingObject  `json:"mappings" doc:"its directories, in order"`
	Created     string           `json:"created" doc:"when it was created"`
	Updated     string           `json:"updated" doc:"when its own fields were changed last"`
}

type passwordObject struct {
	ID      int64  `json:"id" doc:"its number, for app password remove"`
	Hint    string `json:"hint" doc:"the operator's note"`
	Created string `json:"created" doc:"when it was added"`
	Expires string `json:"expires,omitempty" doc:"when it stops counting"`
	Expired bool   `json:"expired" doc:"it counts no longer"`
}

type mappingObject struct {
	Position    int      `json:"position" doc:"its place, from 1"`
	Directory   string   `json:"directory" doc:"the directory"`
	Active      bool     `json:"active" doc:"the directory is active; one that isn't counts as not mapped"`
	Permissions string   `json:"permissions" doc:"what the application may change there"`
	AllUsers    bool     `json:"allUsers" doc:"all users of the directory may log in"`
	Groups      []string `json:"groups" doc:"otherwise: the groups whose members may"`
}

type callObject struct {
	At      string `json:"at" doc:"when"`
	Address string `json:"address" doc:"from which address"`
	Method  string `json:"method,omitempty" doc:"the method; none where the application was refused before"`
	Path    string `json:"path,omitempty" doc:"the resource, without names"`
	Status  int    `json:"status" doc:"the status of the answer"`
	Reason  string `json:"reason,omitempty" doc:"why it was refused"`
}

type appDetails struct {
	appObject
	Calls    []callObject `json:"calls" doc:"its last calls, the latest first"`
	Refusals []string     `json:"refusals" doc:"what explains the refused ones among them, and what to do"`
}

// newAppObject is an application as `app create` shows it.
type newAppObject struct {
	appObject
	Password string `json:"password,omitempty" doc:"the password that was made; it is told only now"`
}

type newPasswordObject struct {
	passwordObject
	Application string `json:"application" doc:"the application"`
	Password    string `json:"password,omitempty" doc:"the password that was made; it is told only now"`
}

type aliasObject struct {
	Application string `json:"application" doc:"the application"`
	User        string `json:"user" doc:"the user's own name"`
	Directory   string `json:"directory,omitempty" doc:"the user's directory"`
	Alias       string `json:"alias,omitempty" doc:"the name that the application knows the user by"`
}

func showApp(app *store.ApplicationRecord, directories map[models.ID]*models.Directory, now models.Time) appObject {
	o := appObject{
		Name: app.Name, Description: app.Description, Active: app.Active, Aggregate: app.Aggregate, LowerCase: app.LowerCase, Nested: app.Nested,
		Addresses: filled(app.Addresses), Passwords: []passwordObject{}, Mappings: []mappingObject{},
		Created: stamp(app.CreatedAt), Updated: stamp(app.UpdatedAt),
	}
	for i := range app.Passwords {
		o.Passwords = append(o.Passwords, showPassword(&app.Passwords[i], now))
	}
	for _, m := range app.Mappings {
		shown := mappingObject{Position: m.Position, Permissions: m.Permissions.String(), AllUsers: m.AllowAll, Groups: filled(m.Groups)}
		if dir := directories[m.DirectoryID]; dir != nil {
			shown.Directory, shown.Active = dir.Name, dir.Active
		}
		o.Mappings = append(o.Mappings, shown)
	}
	return o
}

func showPassword(p *models.ApplicationPassword, now models.Time) passwordObject {
	return passwordObject{ID: int64(p.ID), Hint: p.Hint, Created: stamp(p.CreatedAt), Expires: stamp(p.ExpiresAt),
		Expired: p.ExpiresAt != 0 && p.ExpiresAt <= now}
}

func showCall(c *models.Call) callObject {
	return callObject{At: stamp(c.At), Address: c.Address, Method: c.Method, Path: c.Path, Status: c.Status, Reason: c.Reason}
}
