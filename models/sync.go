package models

// Outcome says how a run ended.
type Outcome string

// The outcomes. A plan that was only shown is Planned; it is kept nowhere.
const (
	OutcomePlanned Outcome = "planned"
	OutcomeApplied Outcome = "applied"
	OutcomeNothing Outcome = "nothing" // source and directory are equal
	OutcomeHeld    Outcome = "held"    // the guard stopped it; an operator approves or discards
	OutcomePartial Outcome = "partial" // applied, but for what could not be read
	OutcomeFailed  Outcome = "failed"
	OutcomeRunning Outcome = "running" // or killed, where no lease is held any more
)

// A Run is the record of one synchronisation, and, with the outcome "planned", the plan of one.
type Run struct {
	ID          ID           `json:"-"`
	DirectoryID ID           `json:"-"`
	Directory   string       `json:"directory"`
	Mode        string       `json:"mode"`   // "full" or "delta"
	Reason      string       `json:"reason"` // why this mode
	Started     Time         `json:"-"`
	Ended       Time         `json:"-"`
	Users       UserCounts   `json:"users"`
	Groups      GroupCounts  `json:"groups"`
	Memberships MemberCounts `json:"memberships"`
	Skipped     []Skipped    `json:"skipped"`
	MoreSkipped int          `json:"moreSkipped,omitempty"` // beyond those that are listed
	Renamed     []Drift      `json:"renamedAtSource,omitempty"`
	Steps       []Step       `json:"steps,omitempty"`
	MoreSteps   int          `json:"moreSteps,omitempty"` // beyond those that are listed
	Phases      []Phase      `json:"phases,omitempty"`
	Requests    int64        `json:"requests"`
	Throttled   int64        `json:"throttled"`
	Bytes       int64        `json:"bytes"`
	Outcome     Outcome      `json:"outcome"`
	Problem     string       `json:"problem,omitempty"` // why it failed, is held or is partial
	Hash        string       `json:"hash,omitempty"`    // of what the plan takes away
	Guard       string       `json:"guard,omitempty"`   // why the guard holds the plan, or would
	Discarded   bool         `json:"discarded,omitempty"`
	Joined      bool         `json:"joined,omitempty"` // an answer only: the run was another's
}

// UserCounts counts what happens to users. Deactivated are all that go from active to
// inactive; they are not in Changed.
type UserCounts struct {
	Created     int `json:"created"`
	Changed     int `json:"changed"`
	Deactivated int `json:"deactivated"`
	Removed     int `json:"removed"`
}

// GroupCounts counts what happens to groups. Emptied are those that left the source or its
// scope: all their members go, the group itself later.
type GroupCounts struct {
	Created int `json:"created"`
	Changed int `json:"changed"`
	Emptied int `json:"emptied"`
	Removed int `json:"removed"`
}

// MemberCounts counts memberships of users and of groups.
type MemberCounts struct {
	Added   int `json:"added"`
	Removed int `json:"removed"`
}

// A Skipped is an object of the source that a run left out, and why.
type Skipped struct {
	Kind   string `json:"kind"` // "user", "group" or "membership"
	ID     string `json:"id"`   // the source's; of a membership group/member
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// A Drift is a group that has another name at its source than here.
type Drift struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Now  string `json:"now"`
}

// StepKind says what a step of a plan does.
type StepKind string

// The kinds of step.
const (
	StepCreateUser     StepKind = "create-user"
	StepChangeUser     StepKind = "change-user"
	StepDeactivateUser StepKind = "deactivate-user"
	StepRemoveUser     StepKind = "remove-user"
	StepCreateGroup    StepKind = "create-group"
	StepChangeGroup    StepKind = "change-group"
	StepEmptyGroup     StepKind = "empty-group"
	StepRemoveGroup    StepKind = "remove-group"
	StepAddMember      StepKind = "add-member"
	StepRemoveMember   StepKind = "remove-member"
)

// A Step is one line of a plan.
type Step struct {
	Kind   StepKind `json:"kind"`
	ID     string   `json:"id,omitempty"` // the source's
	Name   string   `json:"name"`         // of a membership the group's
	Member string   `json:"member,omitempty"`
	Fields []Field  `json:"fields,omitempty"` // of a change
}

// A Field is one field of a change, before and after.
type Field struct {
	Name string `json:"field"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// A Phase is one part of a run.
type Phase struct {
	Name     string `json:"name"`
	Count    int    `json:"count"`
	Millis   int64  `json:"ms"`
	Requests int64  `json:"requests,omitempty"`
}

// A SyncState is what is known of a directory's synchronisation: who runs it, when the next
// run is due, and from where it can go on.
type SyncState struct {
	DirectoryID ID     `gorm:"primaryKey"`
	Owner       string // the process that holds the lease, or the last one that did
	Epoch       int64  // counts the holders: what an older one still writes is refused
	HeldUntil   Time   // by the database's clock; the past: nobody holds it
	Cancel      bool   // an operator asked the present run to stop
	Scheduled   bool   // runs by itself
	NextRunAt   Time
	Cursor      Secret // from where a delta goes on; empty: only a full read will do
	CursorAt    Time   // when it was made
	FullAt      Time   // when the last full read was applied
	CompletedAt Time   // when the last run ended well; zero: never, and the directory isn't shown
	Settings    string // a hash of the settings of the last run that ended well
	Failures    int    // in a row
	AlarmedAt   Time   // when somebody was last told
	HeldRun     ID     // the run that waits to be approved; zero: none
	HeldHash    string // of its plan
}

// A Departure says since when a user or group that a source brought is no longer in it.
type Departure struct {
	DirectoryID ID
	Kind        string // "user" or "group"
	RowID       ID
	Since       Time
}
