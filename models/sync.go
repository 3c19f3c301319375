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
	Directory   string       `json:"directory" doc:"the directory"`
	Mode        string       `json:"mode" doc:"full or delta"`
	Reason      string       `json:"reason" doc:"why this mode"`
	Started     Time         `json:"-"`
	Ended       Time         `json:"-"`
	Users       UserCounts   `json:"users" doc:"what happens to users"`
	Groups      GroupCounts  `json:"groups" doc:"what happens to groups"`
	Memberships MemberCounts `json:"memberships" doc:"what happens to memberships, of users and of groups"`
	Skipped     []Skipped    `json:"skipped" doc:"objects of the source that are left out, up to 10,000"`
	MoreSkipped int          `json:"moreSkipped,omitempty" doc:"how many more there are beyond those that are listed"`
	Renamed     []Drift      `json:"renamedAtSource,omitempty" doc:"groups that have another name at the source than here"`
	Steps       []Step       `json:"steps" doc:"what is done, up to 10,000 steps"`
	MoreSteps   int          `json:"moreSteps,omitempty" doc:"how many more there are beyond those that are listed"`
	Phases      []Phase      `json:"phases,omitempty" doc:"the parts of the run"`
	Requests    int64        `json:"requests" doc:"how often the source was asked"`
	Throttled   int64        `json:"throttled" doc:"how often it told us to wait"`
	Bytes       int64        `json:"bytes" doc:"how much it answered, in bytes"`
	Outcome     Outcome      `json:"outcome" doc:"planned, applied, nothing, held, partial, failed or running"`
	Problem     string       `json:"problem,omitempty" doc:"why it failed, is held or is partial"`
	Hash        string       `json:"hash" doc:"of what the plan takes away and, with guard-adds, of how much it brings; empty when that is nothing; sync approve and sync discard take it"`
	Guard       string       `json:"guard,omitempty" doc:"why the guard holds the plan, or would"`
	Discarded   bool         `json:"discarded,omitempty" doc:"an operator dropped the held plan"`
	Joined      bool         `json:"joined,omitempty" doc:"the run was another process's"`
}

// UserCounts counts what happens to users. Deactivated are all that go from active to
// inactive; they are not in Changed.
type UserCounts struct {
	Created     int `json:"created" doc:"new ones"`
	Changed     int `json:"changed" doc:"those of whom a field becomes different"`
	Deactivated int `json:"deactivated" doc:"those that go from active to inactive; they are not in changed"`
	Removed     int `json:"removed" doc:"those that are removed"`
}

// GroupCounts counts what happens to groups. Emptied are those that left the source or its
// scope: all their members go, the group itself later.
type GroupCounts struct {
	Created int `json:"created" doc:"new ones"`
	Changed int `json:"changed" doc:"those whose description becomes different"`
	Emptied int `json:"emptied" doc:"those that left the source or its scope: their members go now"`
	Removed int `json:"removed" doc:"those that are removed"`
}

// MemberCounts counts memberships of users and of groups.
type MemberCounts struct {
	Added   int `json:"added" doc:"those that come"`
	Removed int `json:"removed" doc:"those that go"`
}

// A Skipped is an object of the source that a run left out, and why.
type Skipped struct {
	Kind   string `json:"kind" doc:"user, group or membership"`
	ID     string `json:"id" doc:"the id at the source; of a membership group/member"`
	Name   string `json:"name" doc:"the name"`
	Reason string `json:"reason" doc:"why"`
}

// A Drift is a group that has another name at its source than here.
type Drift struct {
	ID   string `json:"id" doc:"the id at the source"`
	Name string `json:"name" doc:"the name here"`
	Now  string `json:"now" doc:"the name at the source"`
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
	Kind   StepKind `json:"kind" doc:"create-user, change-user, deactivate-user, remove-user, create-group, change-group, empty-group, remove-group, add-member or remove-member"`
	ID     string   `json:"id,omitempty" doc:"the id at the source"`
	Name   string   `json:"name" doc:"of the user or group; of a membership the group"`
	Member string   `json:"member,omitempty" doc:"of a membership: the user or group in it"`
	Fields []Field  `json:"fields,omitempty" doc:"of a change: the fields"`
}

// A Field is one field of a change, before and after.
type Field struct {
	Name string `json:"field" doc:"which"`
	Old  string `json:"old" doc:"what it was"`
	New  string `json:"new" doc:"what it becomes"`
}

// A Phase is one part of a run.
type Phase struct {
	Name     string `json:"name" doc:"what it does"`
	Count    int    `json:"count" doc:"how many objects"`
	Millis   int64  `json:"ms" doc:"how long it took, in milliseconds"`
	Requests int64  `json:"requests,omitempty" doc:"how often the source was asked in it"`
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
	AlarmedAt   Time   // when somebody was last told that the secret ends
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
