package models

// Writer says on whose behalf a change is made: which of the ways of writing a directory's
// kind must allow.
type Writer int

// The writers.
const (
	ByOperator Writer = iota // REST, console, command line, import
	ByLogin                  // a proven login: SAML assertion, LDAP bind, remote Crowd
	BySync                   // sync run, SCIM call
)

// String gives the writer's word.
func (w Writer) String() string { return [...]string{"operator", "login", "sync"}[w] }

// ActorKind says what sort of actor acted.
type ActorKind string

// The kinds of actor.
const (
	ActorOperator    ActorKind = "operator"    // a person at the command line
	ActorApplication ActorKind = "application" // a client with its own name and password
	ActorUser        ActorKind = "user"        // a person on our own pages
	ActorSystem      ActorKind = "system"      // Rollcall itself
)

// An Actor is on whose behalf something is done, and from where. Every write names one.
type Actor struct {
	Kind    ActorKind
	Name    string
	Address string // the caller's address; empty for the command line
	Request string // the request id, where there is one
	Writer  Writer
}

// System is the actor of what Rollcall does by itself.
var System = Actor{Kind: ActorSystem, Name: "rollcall"}

// ChangeKind says what a change did to which sort of row.
type ChangeKind string

// The kinds of change.
const (
	UserCreated         ChangeKind = "user-created"
	UserUpdated         ChangeKind = "user-updated"
	UserRenamed         ChangeKind = "user-renamed"
	UserDeleted         ChangeKind = "user-deleted"
	UserAttributes      ChangeKind = "user-attributes"
	GroupCreated        ChangeKind = "group-created"
	GroupUpdated        ChangeKind = "group-updated"
	GroupDeleted        ChangeKind = "group-deleted"
	GroupAttributes     ChangeKind = "group-attributes"
	MemberAdded         ChangeKind = "member-added"
	MemberRemoved       ChangeKind = "member-removed"
	MembershipsReplaced ChangeKind = "memberships-replaced" // of one user, several at once: left some, joined others
	NestingAdded        ChangeKind = "nesting-added"
	NestingRemoved      ChangeKind = "nesting-removed"
	CredentialSet       ChangeKind = "credential-set"
	DirectoryChanged    ChangeKind = "directory-changed"   // created, set or renamed
	DirectoryDeleted    ChangeKind = "directory-deleted"   // with all that was in it
	DirectoryReplaced   ChangeKind = "directory-replaced"  // so much of it changed in one transaction that the feed doesn't tell each change
	ApplicationChanged  ChangeKind = "application-changed" // what it sees: its switches and mappings
	ApplicationDoor     ChangeKind = "application-door"    // who gets in: its passwords and addresses
	ApplicationSync     ChangeKind = "application-resync"  // an operator wants it to read everything again
	AliasChanged        ChangeKind = "alias-changed"
	CredentialUpgraded  ChangeKind = "credential-upgraded" // the same password under a better hash
	WebhooksChanged     ChangeKind = "webhooks-changed"    // of an application, or where they may lead
	SessionStarted      ChangeKind = "session-started"
	SessionsEnded       ChangeKind = "sessions-ended"
)

// A Change is one line of the feed: what became different, in the order it did.
type Change struct {
	Seq         int64 `gorm:"primaryKey;autoIncrement"`
	Tx          int64 `gorm:"<-:false"` // PostgreSQL's transaction; zero on SQLite, where sequence is commit order
	At          Time
	Kind        ChangeKind
	Writer      Writer
	DirectoryID ID     // zero where there is none
	RowID       ID     // the user, group, directory, application; of a membership the group
	MemberID    ID     // of a membership the user, of a nesting the child group
	Name        string // the row's name as it is after the change; deleted: as it was
	Member      string // of a membership the user's name, of a nesting the child's; of a rename the old name
	Data        []byte // JSON: a user's or group's wire fields, ChangedUser or ChangedGroup
}

// ChangedUser holds the wire fields of a user in Change.Data.
type ChangedUser struct {
	FirstName   string `json:"first,omitempty"`
	LastName    string `json:"last,omitempty"`
	DisplayName string `json:"display,omitempty"`
	Email       string `json:"email,omitempty"`
	Active      bool   `json:"active"`
	ExternalID  string `json:"external"`
	CreatedAt   Time   `json:"created"`
	UpdatedAt   Time   `json:"updated"`

	Attributes *ChangedAttributes `json:"attributes,omitempty"` // of UserAttributes
}

// ChangedGroup holds the wire fields of a group in Change.Data.
type ChangedGroup struct {
	Description string `json:"description,omitempty"`
	Active      bool   `json:"active"`
	ExternalID  string `json:"external"`
	CreatedAt   Time   `json:"created"`
	UpdatedAt   Time   `json:"updated"`

	Attributes *ChangedAttributes `json:"attributes,omitempty"` // of GroupAttributes
}

// ChangedMemberships says in Change.Data which groups a user left and joined at once, and all
// groups that it is directly in after it.
type ChangedMemberships struct {
	Added   []GroupRef `json:"added"`
	Removed []GroupRef `json:"removed"`
	Groups  []string   `json:"groups"`
}

// A GroupRef names a group's row.
type GroupRef struct {
	ID   ID     `json:"id"`
	Name string `json:"name"`
}

// ChangedAttributes says which attributes a change touched: Set with their values after it,
// Deleted by name.
type ChangedAttributes struct {
	Set     []Attribute `json:"set,omitempty"`
	Deleted []string    `json:"deleted,omitempty"`
}

// An AuditEntry says who did what to whom, before and after, and from where. It is written
// in the transaction of the change itself; failures and refusals are entries of their own.
type AuditEntry struct {
	ID        ID `gorm:"primaryKey"`
	At        Time
	ActorKind ActorKind
	Actor     string
	Address   string
	Request   string
	Action    string // "user.create", "login.refused"
	Outcome   string // "done", or a refusal's reason
	Subject   string // whom or what it concerns, by name
	Directory string // the directory's name, where there is one
	Before    string // JSON, without secrets
	After     string // JSON, without secrets
	Count     int    // how many equal refusals the entry stands for
}

// An OutboxItem is a letter that waits to be delivered. Rules only insert rows, in their own
// transaction; package internal/outbox delivers them. Webhooks have no rows here: each
// remembers how far in the feed it was told.
type OutboxItem struct {
	ID            ID     `gorm:"primaryKey"`
	Kind          string // "letter"
	Recipient     string
	Payload       []byte // JSON, sealed with the server's key
	CreatedAt     Time   `gorm:"autoCreateTime:false"`
	NextAttemptAt Time
	Attempts      int
	LastError     string
}
