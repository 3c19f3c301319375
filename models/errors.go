package models

import (
	"errors"
	"strings"
)

// Code says what happened, in words that each door translates into its own status and reason.
type Code string

// The codes. A test of each API walks Codes, so that a new one can't be forgotten.
const (
	IllegalArgument   Code = "illegal-argument"    // the request itself makes no sense
	UserNotFound      Code = "user-not-found"      //
	GroupNotFound     Code = "group-not-found"     //
	DirectoryNotFound Code = "directory-not-found" //
	AppNotFound       Code = "application-not-found"
	MappingNotFound   Code = "mapping-not-found"
	AliasNotFound     Code = "alias-not-found"
	NotMember         Code = "membership-not-found"
	AlreadyMember     Code = "membership-already-exists"
	InvalidUser       Code = "invalid-user"       // exists already, bad name, wrong directory
	InvalidGroup      Code = "invalid-group"      // exists already, bad name
	InvalidMembership Code = "invalid-membership" // a group into itself, or a circle
	InvalidCredential Code = "invalid-credential" // the password breaks the policy
	InvalidPassword   Code = "invalid-password"   // the password is wrong, or nobody may log in with it
	UserInactive      Code = "user-inactive"
	PasswordExpired   Code = "password-expired"
	LoginDenied       Code = "login-denied"        // right person, not allowed in this application
	InvalidToken      Code = "invalid-token"       // unknown, expired, or with other factors
	EventTokenExpired Code = "event-token-expired" // the client must read everything again
	WebhookNotFound   Code = "webhook-not-found"   //
	InvalidEmail      Code = "invalid-email"       // the user has none to write to
	PermissionDenied  Code = "permission-denied"   // the application, or the directory's kind, may not
	Unsupported       Code = "unsupported"         // the directory can't do that
	NameTaken         Code = "name-taken"          // of a directory or an application
	AppUnauthorized   Code = "app-unauthorized"    // the application's name or password is wrong
	AddressForbidden  Code = "address-forbidden"   // the application may not call from there
	RequestTooLarge   Code = "request-too-large"   //
	UnsupportedMedia  Code = "unsupported-media"   // of the request
	NotAcceptable     Code = "not-acceptable"      // of the answer
	NoSuchResource    Code = "no-such-resource"    //
	MethodNotAllowed  Code = "method-not-allowed"  //
	Busy              Code = "busy"                // too many password hashes wait
	Unavailable       Code = "unavailable"         // the database is away
	SyncFailed        Code = "sync-failed"         // a run, or a question to a source, came to nothing
	PlanMoved         Code = "plan-moved"          // the plan to approve is no longer the present one
	StorageFull       Code = "storage-full"        // the disk or the database is full
	LeaseLost         Code = "lease-lost"          // another process runs this directory now
	Internal          Code = "internal"            // a bug, or something underneath failed
)

// Codes lists every code.
var Codes = []Code{
	IllegalArgument, UserNotFound, GroupNotFound, DirectoryNotFound, AppNotFound, MappingNotFound,
	AliasNotFound, NotMember, AlreadyMember, InvalidUser, InvalidGroup, InvalidMembership,
	InvalidCredential, InvalidPassword, UserInactive, PasswordExpired, LoginDenied, InvalidToken,
	EventTokenExpired, WebhookNotFound, InvalidEmail, PermissionDenied, Unsupported, NameTaken, AppUnauthorized, AddressForbidden, RequestTooLarge,
	UnsupportedMedia, NotAcceptable, NoSuchResource, MethodNotAllowed, Busy, Unavailable,
	SyncFailed, PlanMoved, StorageFull, LeaseLost, Internal,
}

// An Error is a failure with a meaning for the caller.
type Error struct {
	Code    Code   // what happened
	Subject string // the name the caller used: "ada", "jira-users"
	Message string // a sentence for the caller; empty: the door's own sentence for the code
	Err     error  // what lay underneath; for the log, never for the caller
}

// Error gives the chain for the log. A sentence that has what lay underneath says it already.
func (e *Error) Error() string {
	text := string(e.Code)
	if e.Subject != "" {
		text += " <" + e.Subject + ">"
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Err != nil && !strings.Contains(e.Message, e.Err.Error()) {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives what lay underneath.
func (e *Error) Unwrap() error { return e.Err }

// Fail makes an Error of a code, the name it concerns and a sentence for the caller.
func Fail(code Code, subject, message string) *Error {
	return &Error{Code: code, Subject: subject, Message: message}
}

// CodeOf gives the code of the first Error in err's chain; Internal when there is none, and
// an empty code when err is nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// Is tells whether err means code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }
