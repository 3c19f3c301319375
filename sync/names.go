package sync

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// A Verdict is what one rule says of an object of the source.
type Verdict struct {
	Rule   string `json:"rule" doc:"the rule"`
	OK     bool   `json:"ok" doc:"it lets the object pass"`
	Detail string `json:"detail" doc:"what it makes of it, or why not"`
}

// A profile is a user as it shall stand in our rows, or the reason why it shall not.
type profile struct {
	id         string
	name       string
	first      string
	last       string
	display    string
	mail       string
	active     bool
	attributes []models.Attribute
	skip       string // why it shall not
	excluded   bool   // the settings say so; else it is in doubt, and what we have of it stays
}

// Why a setting leaves somebody out, whatever their name.
const (
	guestExcluded    = "it is a guest, and guests=exclude"
	disabledExcluded = "it is disabled, and disabled=exclude"
)

// Excluded tells whether a reason to skip a user is a setting that leaves such users out; else
// it is the user's name.
func Excluded(reason string) bool { return reason == guestExcluded || reason == disabledExcluded }

// judge applies the settings to a user, rule by rule, and tells tell (if any) each verdict.
// A user that no rule refuses still needs a name that nobody else has, and, where only members
// of groups come, a group.
func (s *Settings) judge(u *User, tell func(Verdict)) profile {
	p := profile{id: u.ID, name: u.Login, first: u.First, last: u.Last, display: u.Display, mail: u.Mail, active: u.Active}
	say := func(rule string, ok bool, detail string) bool {
		if tell != nil {
			tell(Verdict{rule, ok, detail})
		}
		if !ok && p.skip == "" {
			p.skip = detail
		}
		return ok
	}
	if u.Guest && !s.guests {
		p.excluded = true
		say("guests", false, guestExcluded)
	} else if u.Guest {
		say("guests", true, "it is a guest, and guests=include")
	}
	if !u.Active && !s.disabled {
		p.excluded = true
		say("disabled", false, disabledExcluded)
	}
	from := s.sourceFor(u)
	name := pick(u, from)
	if !say("username="+from, name != "", cond(name != "", name, "it has no "+from+" to make a username of")) {
		return p
	}
	for i := range s.usernames {
		was := name
		if name = s.usernames[i].Pattern.ReplaceAllString(name, s.usernames[i].With); name != was {
			say("username-rules: "+s.usernames[i].Pattern.String(), true, was+" → "+name)
		}
	}
	name = tidy(name)
	if s.lowerCase {
		name = strings.ToLower(name)
	}
	if problem := models.NameProblem(name); problem != "" {
		say("username", false, "it can't have this username: "+problem)
		return p
	}
	say("username", true, name)
	p.name = name
	row := models.User{Name: name, FirstName: u.First, LastName: u.Last, DisplayName: u.Display, Email: u.Mail}
	clean(&row)
	directory.CompleteNames(&row)
	p.first, p.last, p.display, p.mail = row.FirstName, row.LastName, row.DisplayName, row.Email
	if problem := models.TextProblem(u.ID, models.MaxName); problem != "" {
		say("id", false, "its id can't be stored: "+problem)
	}
	if u.Mail == "" {
		say("mail", true, "it has no mail address; letters won't reach it")
	}
	p.attributes = s.published(u)
	return p
}

// sourceFor gives what a user's name is made of: a guest's login is no name that a person
// would type, so without another rule it is the mail address.
func (s *Settings) sourceFor(u *User) string {
	if u.Guest && s.username == "upn" && u.Mail != "" {
		return "mail"
	}
	return s.username
}

func pick(u *User, from string) string {
	switch from {
	case "upn":
		return u.Login
	case "mail":
		return u.Mail
	case "upn-local-part":
		return localPart(u.Login)
	case "mail-local-part":
		return localPart(u.Mail)
	}
	name, _ := strings.CutPrefix(from, "attribute:")
	for _, a := range u.Attributes {
		if a.Name == name && len(a.Values) > 0 {
			return a.Values[0]
		}
	}
	return ""
}

func localPart(address string) string {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		return address[:at]
	}
	return address
}

// tidy makes a name of what people wrote: Atlassian's products can't bear some signs in names.
func tidy(name string) string {
	name = strings.TrimSpace(norm.NFC.String(name))
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`<>&/\%?;`, r) {
			return '_'
		}
		return r
	}, name)
}

// clean makes texts fit to be stored: what is too long is cut, control characters go.
func clean(u *models.User) {
	for _, f := range []struct {
		text  *string
		limit int
	}{{&u.FirstName, models.MaxName}, {&u.LastName, models.MaxName}, {&u.DisplayName, models.MaxName}, {&u.Email, models.MaxName}} {
		*f.text = fit(*f.text, f.limit)
	}
}

func fit(text string, limit int) string {
	if models.TextProblem(text, limit) == "" {
		return text
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\uFFFE' || r == '\uFFFF' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	if runes := []rune(text); len(runes) > limit {
		text = string(runes[:limit])
	}
	return strings.TrimSpace(text)
}

// published gives the attributes that the settings publish, sorted by name. Those that get one name
// become one.
func (s *Settings) published(u *User) (out []models.Attribute) {
	for _, want := range s.attributes {
		for _, a := range u.Attributes {
			if a.Name != want.from || len(a.Values) == 0 {
				continue
			}
			var values []string
			for _, v := range a.Values {
				if v = strings.TrimSpace(v); v != "" && models.ValueProblem(v) == "" {
					values = append(values, v)
				}
			}
			if len(values) == 0 {
				continue
			}
			i := slices.IndexFunc(out, func(a models.Attribute) bool { return a.Name == want.to })
			if i < 0 {
				i, out = len(out), append(out, models.Attribute{Name: want.to})
			}
			out[i].Values = append(out[i].Values, values...)
		}
	}
	for i := range out {
		slices.Sort(out[i].Values)
		out[i].Values = slices.Compact(out[i].Values)
	}
	slices.SortFunc(out, func(a, b models.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// nameGroup gives the name that a group is to have here, before anybody else's claim to it.
func (s *Settings) nameGroup(g *Group) (name, problem string) {
	switch s.groupName {
	case "mail":
		name = g.Mail
	case "mail-local-part":
		name = localPart(g.Mail)
	default:
		name = g.Name
	}
	if strings.TrimSpace(name) == "" {
		return "", "it has no " + s.groupName + " to make a name of"
	}
	for i := range s.groupNames {
		name = s.groupNames[i].Pattern.ReplaceAllString(name, s.groupNames[i].With)
	}
	name = strings.TrimSpace(norm.NFC.String(fit(name, models.MaxName+1)))
	if problem := models.NameProblem(name); problem != "" {
		return "", "it can't have this name: " + problem
	}
	if directory.Protected(name) && !s.allowed[models.Key(name)] {
		return "", fmt.Sprintf("the name %s gives power in Atlassian products; allow-groups=%s lets it in", name, name)
	}
	return name, ""
}

func cond[T any](yes bool, a, b T) T {
	if yes {
		return a
	}
	return b
}
