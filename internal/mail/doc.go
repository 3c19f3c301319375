// Package mail sends one letter by SMTP.
//
//	Write(template, data)      → Letter, from the texts in templates/
//	Sender.Send(ctx, Letter)   → nil once the mail server has taken it, and only then
//
// It doesn't try again: whoever sends asks Permanent whether that could help. Nothing of ours
// is known here; package outbox decides which letter goes to whom, and when.
package mail
