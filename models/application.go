package models

// An Application is a client of Rollcall with a name and passwords of its own.
type Application struct {
	ID          ID `gorm:"primaryKey"`
	Name        string
	Key         string
	Description string
	Active      bool
	Aggregate   bool // memberships come from every directory, not only the user's own
	LowerCase   bool // names are given out in lower case
	Nested      bool // nested groups count; without it "nested" behaves as "direct"
	CreatedAt   Time `gorm:"autoCreateTime:false"`
	UpdatedAt   Time `gorm:"autoUpdateTime:false"`
}

// An ApplicationPassword is one of the passwords that an application may present. Several
// may be valid at once, so that one can be replaced without an outage.
type ApplicationPassword struct {
	ID            ID `gorm:"primaryKey"`
	ApplicationID ID
	Hash          Secret
	Hint          string // its last characters are never kept; this is the operator's note
	CreatedAt     Time   `gorm:"autoCreateTime:false"`
	ExpiresAt     Time   // zero: never
}

// ValidAt tells whether the password counts at a moment.
func (p *ApplicationPassword) ValidAt(now Time) bool { return p.ExpiresAt == 0 || p.ExpiresAt > now }

// An ApplicationAddress is an address from which an application may call: an IP address, a
// CIDR or a host name.
type ApplicationAddress struct {
	ApplicationID ID     `gorm:"primaryKey"`
	Address       string `gorm:"primaryKey"`
}

// A Mapping links an application to a directory. Position orders an application's mappings,
// from 1; the first directory that has a name wins it.
type Mapping struct {
	ID            ID `gorm:"primaryKey"`
	ApplicationID ID
	DirectoryID   ID
	Position      int
	Permissions   Permissions // what the application may change there
	AllowAll      bool        // all users of the directory may log in; else only Groups
	Groups        []string    `gorm:"-"` // names of the groups allowed to log in; filled by the store
}

// A MappingGroup is one group that a mapping allows to log in. It is kept by name, as in
// Crowd: the group may be deleted and made again.
type MappingGroup struct {
	MappingID ID     `gorm:"primaryKey"`
	GroupKey  string `gorm:"primaryKey"`
	GroupName string
}

// An Alias is the name under which one application knows a user.
type Alias struct {
	ApplicationID ID `gorm:"primaryKey"`
	UserID        ID `gorm:"primaryKey"`
	Name          string
	NameKey       string // unique in the application
}

// A Call is one request of an application, kept for `rollcall app show`. Only the latest
// calls of an application are kept.
type Call struct {
	ID            ID `gorm:"primaryKey"`
	ApplicationID ID
	At            Time
	Address       string
	Method        string
	Path          string // the route, without names or queries
	Status        int
	Reason        string // Crowd's reason of a refusal, or our sentence
}
