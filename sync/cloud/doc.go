// Package cloud is the one HTTP client of all sources that read a cloud directory. It waits as
// the cloud says, tries again what may be tried again, gives the token to nobody else, and
// turns what went wrong into a sentence for an administrator.
//
//	client.go     Client: asks one thing at a time, as often as it takes
//	try.go        one attempt: send, read within limits, unpack
//	judge.go      Answer and Verdict: what an answer means; each source has its own judge
//	governor.go   how many requests run at once, and when nobody may send
//	token.go      Tokens: one token for all requests, renewed before its end
//	link.go       addresses, and chains of next links
//	transport.go  the connection: proxy, certificates; and a Client as http.RoundTripper
//	error.go      Error: what was asked, what was answered, the way out
//	refusal.go    whom an error concerns: the question, or all that is asked
//
// A Client belongs to one run of one directory: its budget of retries and its counts begin
// when it is made.
package cloud
