package models

// AlarmEvent says what somebody is told of a directory's synchronisation.
type AlarmEvent string

// The events.
const (
	AlarmFailing    AlarmEvent = "failing"     // it failed three times in a row
	AlarmHeld       AlarmEvent = "held"        // the guard holds a plan, which waits for an operator
	AlarmSecretEnds AlarmEvent = "secret-ends" // the credentials end within 30 days
)

// An Alarm is what is posted to a directory's alarm-webhook. It waits in the outbox, sealed: the
// address may hold a token.
type Alarm struct {
	URL  string    `json:"url"`
	Body AlarmBody `json:"body"`
}

// An AlarmBody is what is sent, as JSON.
type AlarmBody struct {
	Directory string     `json:"directory"`
	Event     AlarmEvent `json:"event"`
	Text      string     `json:"text"` // a sentence or two, for people
	Time      string     `json:"time"`
}
