package fakecloud

import (
	"strconv"
	"strings"
	"time"
)

// A UserNo names a user inside the fake: the n-th one. Generated users come first, then those
// that edits created. Each cloud makes its own id of it.
type UserNo int

// A User is a person or robot, in no cloud's words. The zero value of what has a default is the
// ordinary case: enabled, a member, at home here.
type User struct {
	Login   string // the login name, as in ada.lovelace@contoso.example; a guest's at home
	Given   string
	Surname string
	Display string
	Mail    string // empty: has none
	// OtherMails are further addresses.
	OtherMails []string

	Disabled bool
	Guest    bool // a guest by type
	External bool // the account is at home elsewhere; most guests' are
	Untyped  bool // neither member nor guest: an account from before the distinction
	Pending  bool // an External who hasn't accepted the invitation

	Department string
	Title      string
	EmployeeID string
	OnPremName string // the account's name in the directory on premises that it comes from
	Created    time.Time

	// Attributes are further ones, by the cloud's own names.
	Attributes map[string]string

	deletedAt time.Time // kept by the directory
}

// firstDay is when the oldest generated accounts were made.
var firstDay = time.Date(2020, 1, 6, 8, 0, 0, 0, time.UTC)

// user makes the n-th user up.
func (g *generator) user(n UserNo) User {
	i := int(n)
	pairs := len(givenNames) * len(surnames)
	pair, round := g.names.at(i%pairs), i/pairs
	given, surname := givenNames[pair/len(surnames)], surnames[pair%len(surnames)]
	local := strings.ToLower(given) + "." + strings.ToLower(surname)
	if round > 0 {
		local += strconv.Itoa(round + 1)
	}
	details := g.hash(saltDetails, i)
	u := User{
		Given: given, Surname: surname,
		Login:      local + "@" + g.Domain,
		Disabled:   g.chance(saltDisabled, i, g.DisabledPct),
		Department: departments[details%uint64(len(departments))],
		Title:      titles[details>>8%uint64(len(titles))],
		EmployeeID: strconv.Itoa(1000000 + i),
		Created:    firstDay.Add(time.Duration(details>>16%(5*365*24)) * time.Hour),
	}
	if g.chance(saltGuest, i, g.GuestPct) {
		u.Guest, u.External = true, true
		u.Pending = details>>40%8 == 0
		u.Login = local + "@" + guestDomain
		u.EmployeeID = ""
	}
	if g.chance(saltUnicode, i, g.UnicodePct) {
		u.Given, u.Surname = foreignNames[details>>48%uint64(len(foreignNames))].given, foreignNames[details>>52%uint64(len(foreignNames))].surname
	}
	u.Display = u.Given + " " + u.Surname
	if !g.chance(saltNoMail, i, g.NoMailPct) {
		// As people write it: the same letters as the login name, in another case.
		u.Mail = strings.ToUpper(u.Login[:1]) + u.Login[1:]
	}
	return u
}

// guestDomain is where generated guests are at home.
const guestDomain = "fabrikam.example"

// userByLocal finds which generated user has a login name with this part before the "@".
func (g *generator) userByLocal(local string) (UserNo, bool) {
	given, rest, ok := strings.Cut(strings.ToLower(local), ".")
	name := strings.TrimRight(rest, "0123456789")
	first, known := givenIndex[given]
	last, knownToo := surnameIndex[name]
	round := 1
	if digits := rest[len(name):]; digits != "" {
		var err error
		if round, err = strconv.Atoi(digits); err != nil || round < 2 {
			return 0, false
		}
	}
	if !ok || !known || !knownToo {
		return 0, false
	}
	n := (round-1)*len(givenNames)*len(surnames) + g.names.indexOf(first*len(surnames)+last)
	return UserNo(n), n < g.Users
}

var givenIndex, surnameIndex = indexOfNames(givenNames), indexOfNames(surnames)

func indexOfNames(names []string) map[string]int {
	index := make(map[string]int, len(names))
	for i, name := range names {
		index[strings.ToLower(name)] = i
	}
	return index
}

var givenNames = []string{
	"Ada", "Alan", "Alice", "Amir", "Anita", "Barbara", "Ben", "Blaise", "Carla", "Carol", "Charles", "Clara",
	"Dana", "Dennis", "Donald", "Edith", "Edsger", "Elena", "Emmy", "Erik", "Evelyn", "Fatima", "Felix", "Frances",
	"Fred", "George", "Grace", "Hedy", "Helen", "Henry", "Ida", "Ingrid", "Ivan", "James", "Jean", "Joan",
	"John", "Joseph", "Karen", "Katherine", "Ken", "Laura", "Leslie", "Linus", "Lise", "Margaret", "Maria", "Mary",
	"Max", "Mei", "Nadia", "Niklaus", "Olga", "Oscar", "Peter", "Priya", "Radia", "Rosa", "Rudolf", "Sofia",
	"Stephen", "Thomas", "Tim", "Wanda",
}

var surnames = []string{
	"Allen", "Antonelli", "Babbage", "Backus", "Bartik", "Bell", "Berg", "Boole", "Borg", "Brooks", "Byron", "Cerf",
	"Chen", "Church", "Clarke", "Codd", "Cohen", "Cooper", "Cray", "Curie", "D'Angelo", "Dahl", "Davis", "Diaz",
	"Dijkstra", "Easley", "Engelbart", "Euler", "Floyd", "Fischer", "Franklin", "Garcia", "Gauss", "Goldberg", "Gray", "Hamilton",
	"Haddad", "Hansen", "Hoare", "Holberton", "Hopper", "Huang", "Ito", "Jackson", "Jensen", "Johnson", "Kapoor", "Kay",
	"Keller", "Kernighan", "Kim", "Knuth", "Kovacs", "Lamarr", "Lamport", "Larsen", "Lee", "Liskov", "Lovelace", "Martin",
	"McCarthy", "Meitner", "Milner", "Minsky", "Moreau", "Nakamura", "Naur", "Newton", "Noether", "O'Brien", "O'Neill", "Okafor",
	"Pascal", "Patel", "Perlis", "Perlman", "Petrov", "Rivera", "Rossi", "Santos", "Schmidt", "Shannon", "Silva", "Simon",
	"Smith-Jones", "Somerville", "Stearns", "Tanaka", "Tarjan", "Thompson", "Torvalds", "Turing", "Weber", "Wilkes", "Wirth", "Wolf",
}

// foreignNames are those that ASCII doesn't do: composed and decomposed letters, other scripts,
// two letters of which the lower case is not the one that English has, and text that runs the
// other way.
var foreignNames = []struct{ given, surname string }{
	{"Zoë", "Müller"}, {"José", "Núñez"}, {"Łukasz", "Żółkiewski"}, {"Søren", "Ångström"},
	{"İbrahim", "Çelik"}, {"Ольга", "Иванова"}, {"明", "王"}, {"さくら", "佐藤"},
	{"محمد", "العلي"}, {"Zoe\u0308", "Bjo\u0308rk"}, {"François", "Lefèvre"}, {"Đorđe", "Šarić"},
	{"Σοφία", "Παππάς"}, {"Groß", "Weiß"}, {"नेहा", "शर्मा"}, {"Chloé", "D’Été"},
}

var titles = []string{"Engineer", "Analyst", "Manager", "Designer", "Director", "Assistant", "Consultant", "Architect"}
