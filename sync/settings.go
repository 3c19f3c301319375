package sync

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// Settings say what of a source is published and how, as a directory's settings have it.
type Settings struct {
	groups      []groupPattern // empty: all
	membersOnly bool           // only users that are in a chosen group
	guests      bool
	disabled    bool
	flatten     bool
	username    string
	usernames   []directory.Rewrite
	lowerCase   bool
	groupName   string
	groupNames  []directory.Rewrite
	follow      bool // a group follows its name at the source
	attributes  []attribute
	allowed     map[string]bool // keys of protected names that may come all the same
	purgeAfter  time.Duration

	Guard    Guard
	Interval time.Duration
	Schedule string // "on", "off", cron text, or empty: on once a run was applied by hand
	Deadline time.Duration
	History  time.Duration

	hash  string
	since models.Time // when the directory was last changed, and with it perhaps a setting
}

// An attribute is published under a name of its own.
type attribute struct{ from, to string }

// A groupPattern chooses groups: by id, by pattern, or by name with "*".
type groupPattern struct {
	text string
	id   string
	re   *regexp.Regexp
	glob string // folded
}

// ReadSettings reads a directory's settings, which were checked when they were set.
func ReadSettings(dir *models.Directory) (*Settings, error) {
	get := func(name string) string { return directory.SettingOf(dir, name) }
	s := &Settings{
		membersOnly: get("users") == "members",
		guests:      get("guests") != "exclude",
		disabled:    get("disabled") != "exclude",
		flatten:     get("nested") == "flatten",
		username:    get("username"),
		lowerCase:   get("username-case") != "keep",
		groupName:   get("group-name"),
		follow:      get("group-names") == "follow",
		allowed:     map[string]bool{},
		Schedule:    get("schedule"),
	}
	for _, name := range directory.List(get("allow-groups")) {
		s.allowed[models.Key(name)] = true
	}
	for _, item := range directory.List(get("attributes")) {
		from, to, renamed := strings.Cut(item, "=")
		if !renamed {
			to = from
		}
		s.attributes = append(s.attributes, attribute{strings.TrimSpace(from), strings.TrimSpace(to)})
	}
	var err error
	for _, text := range directory.List(get("groups")) {
		p, perr := readGroupPattern(text)
		if perr != nil {
			return nil, fmt.Errorf("setting groups of directory %s: %w", dir.Name, perr)
		}
		s.groups = append(s.groups, p)
	}
	if s.usernames, err = directory.Rewrites(get("username-rules")); err != nil {
		return nil, fmt.Errorf("setting username-rules of directory %s: %w", dir.Name, err)
	}
	if s.groupNames, err = directory.Rewrites(get("group-rules")); err != nil {
		return nil, fmt.Errorf("setting group-rules of directory %s: %w", dir.Name, err)
	}
	for name, into := range map[string]*directory.Limit{"guard-users": &s.Guard.Users, "guard-groups": &s.Guard.Groups,
		"guard-memberships": &s.Guard.Memberships, "guard-adds": &s.Guard.Adds} {
		if *into, err = directory.ReadLimit(get(name)); err != nil {
			return nil, fmt.Errorf("setting %s of directory %s: %w", name, dir.Name, err)
		}
	}
	for name, into := range map[string]*time.Duration{"interval": &s.Interval, "deadline": &s.Deadline} {
		if *into, err = time.ParseDuration(get(name)); err != nil {
			return nil, fmt.Errorf("setting %s of directory %s: %w", name, dir.Name, err)
		}
	}
	for name, into := range map[string]*time.Duration{"purge-after": &s.purgeAfter, "history": &s.History} {
		days, err := strconv.Atoi(get(name))
		if err != nil {
			return nil, fmt.Errorf("setting %s of directory %s: %w", name, dir.Name, err)
		}
		*into = time.Duration(days) * 24 * time.Hour
	}
	s.hash, s.since = settingsHash(dir), dir.UpdatedAt
	return s, nil
}

// settingsHash is of all settings that decide what a read gives: with others, nothing that was
// read before is of use.
func settingsHash(dir *models.Directory) string {
	h := sha256.New()
	for _, set := range directory.Settings(dir.Kind) {
		if set.Reads && !set.Secret {
			fmt.Fprintf(h, "%s=%s\n", set.Name, directory.SettingOf(dir, set.Name))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// AttributeNames lists the source's attributes that the settings ask for.
func (s *Settings) AttributeNames() []string {
	var names []string
	if name, ok := strings.CutPrefix(s.username, "attribute:"); ok {
		names = append(names, name)
	}
	for _, a := range s.attributes {
		if !slices.Contains(names, a.from) {
			names = append(names, a.from)
		}
	}
	return names
}

func readGroupPattern(text string) (groupPattern, error) {
	p := groupPattern{text: text}
	if id, ok := strings.CutPrefix(text, "id:"); ok {
		p.id = id
		return p, nil
	}
	var err error
	if p.re, err = directory.NamePattern(text); p.re == nil {
		p.glob = models.Key(text)
	}
	return p, err
}

// names tells whether a pattern is the name, or the id, of one group.
func (p *groupPattern) names() bool { return p.re == nil && !strings.Contains(p.glob, "*") }

// namesGroups tells whether the setting groups names single groups.
func (s *Settings) namesGroups() bool {
	return slices.ContainsFunc(s.groups, func(p groupPattern) bool { return p.names() })
}

func (p *groupPattern) chooses(g *Group) bool {
	switch {
	case p.id != "":
		return p.id == g.ID
	case p.re != nil:
		return p.re.MatchString(g.Name)
	}
	return globMatches(p.glob, models.Key(g.Name))
}

// globMatches tells whether a name matches a pattern in which "*" stands for anything.
func globMatches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return true
}

// Chosen tells by which item of the setting a group is published; empty when it isn't.
func (s *Settings) Chosen(g *Group) string {
	if len(s.groups) == 0 {
		return "all groups"
	}
	for i := range s.groups {
		if s.groups[i].chooses(g) {
			return s.groups[i].text
		}
	}
	return ""
}
