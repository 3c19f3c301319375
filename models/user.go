package models

// A User is one account in one directory. A person may have several: see Identity.
type User struct {
	ID          ID `gorm:"primaryKey"`
	DirectoryID ID
	Name        string // as written
	NameKey     string // Key(Name), unique in the directory
	FirstName   string
	LastName    string
	DisplayName string
	Email       string
	Active      bool
	ExternalID  string // the source's own name for it, or a random UUID; never changes, unique in the directory
	CreatedAt   Time   `gorm:"autoCreateTime:false"`
	UpdatedAt   Time   `gorm:"autoUpdateTime:false"`

	// The Keys of the texts above, for searches; set by the store.
	FirstKey   string
	LastKey    string
	DisplayKey string
	EmailKey   string
}

// A Group is a named set of users and groups in one directory.
type Group struct {
	ID          ID `gorm:"primaryKey"`
	DirectoryID ID
	Name        string
	NameKey     string // Key(Name), unique in the directory
	Description string
	Active      bool
	ExternalID  string // as for users
	CreatedAt   Time   `gorm:"autoCreateTime:false"`
	UpdatedAt   Time   `gorm:"autoUpdateTime:false"`

	DescriptionKey string // Key(Description), for searches; set by the store
}

// A Membership says that a user is in a group of the same directory.
type Membership struct {
	GroupID     ID `gorm:"primaryKey"`
	UserID      ID `gorm:"primaryKey"`
	DirectoryID ID
	Writer      Writer // who put it there: a sync removes only what a sync brought
}

// A Nesting says that the group Child is in the group Parent of the same directory.
type Nesting struct {
	ParentID    ID `gorm:"primaryKey"`
	ChildID     ID `gorm:"primaryKey"`
	DirectoryID ID
	Writer      Writer
}

// An Attribute is a named set of values of a user or a group. The order of values means nothing.
type Attribute struct {
	Name   string
	Values []string
}

// A UserAttribute is one value of a user's attribute, as it is stored.
type UserAttribute struct {
	UserID   ID     `gorm:"primaryKey"`
	Name     string `gorm:"primaryKey"`
	Position int    `gorm:"primaryKey"`
	Value    string
	ValueKey string // Key(Value), for searches
	Writer   Writer
}

// A GroupAttribute is one value of a group's attribute, as it is stored.
type GroupAttribute struct {
	GroupID  ID     `gorm:"primaryKey"`
	Name     string `gorm:"primaryKey"`
	Position int    `gorm:"primaryKey"`
	Value    string
	ValueKey string // Key(Value), for searches
	Writer   Writer
}

// An Identity says that whoever a provider calls Subject is this user. A person's way of
// proving who they are is apart from the external id, which belongs to the directory.
type Identity struct {
	Provider string `gorm:"primaryKey"`
	Subject  string `gorm:"primaryKey"`
	UserID   ID
}

// A Credential is what Rollcall keeps of a user's password, and the bookkeeping of logins.
// A user without a row, or with an empty Hash, can't log in with a password.
type Credential struct {
	UserID            ID `gorm:"primaryKey"`
	Hash              Secret
	ChangedAt         Time // when the password was set
	MustChange        bool // the next right password answers EXPIRED_CREDENTIAL
	Failures          int  // wrong passwords since the last right one
	LastAuthenticated Time
	LastActive        Time
}

// An OldPassword is a hash that a user had before; the policy's history compares with it.
type OldPassword struct {
	ID     ID `gorm:"primaryKey"`
	UserID ID
	Hash   Secret
}
