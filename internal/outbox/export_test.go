package outbox

// The waiting times after so many attempts.
var (
	LetterRest  = letterRest
	WebhookRest = webhookRestAfter
)
