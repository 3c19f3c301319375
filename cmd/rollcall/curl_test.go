package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// curl is as much of the program curl as the tests need, so that no machine has to have it:
// -s, -u, -H and -d. As with -f, an answer of 400 and above is a failure, with code 22; its
// status goes to stderr.
func curl(args []string) int {
	method, body, url, user, headers := http.MethodGet, "", "", "", http.Header{}
	for i := 0; i < len(args); i++ {
		next := func() string {
			i++
			return args[i]
		}
		switch args[i] {
		case "-s":
		case "-u":
			user = next()
		case "-H":
			name, value, _ := strings.Cut(next(), ":")
			headers.Set(name, strings.TrimSpace(value))
		case "-d":
			method, body = http.MethodPost, next()
		default:
			url = args[i]
		}
	}
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return fail(err)
	}
	r.Header = headers
	if name, password, ok := strings.Cut(user, ":"); ok {
		r.SetBasicAuth(name, password)
	}
	client := http.Client{Timeout: 30 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		return fail(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		return fail(err)
	}
	fmt.Fprintln(os.Stderr, answer.Status)
	if answer.StatusCode >= http.StatusBadRequest {
		return 22
	}
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "curl:", err)
	return 7
}
