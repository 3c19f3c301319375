package okta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/sync/cloud"
)

// Broken answers: they are asked for again.
var (
	errNoList   = errors.New("the answer has no list")
	errNotWhole = errors.New("the answer has an object without an id, or a user without a status")
)

// list follows the next links of a list to its end.
func list[T any](ctx context.Context, s *Source, what, first string, decode func([]byte) ([]T, error), page func(items []T, next string) error) error {
	chain := s.client.Chain(what, mostPages)
	for link, n := first, 1; link != ""; n++ {
		var items []T
		var next string
		err := s.client.Do(ctx, cloud.Request{URL: link, Take: func(a cloud.Answer) (err error) {
			next = nextLink(a.Header)
			items, err = decode(a.Body)
			return err
		}})
		if err != nil {
			return fmt.Errorf("%s: page %d: %w", what, n, err)
		}
		if next != "" {
			if err := chain.Follow(next); err != nil {
				return err
			}
		}
		if err := page(items, next); err != nil {
			return err
		}
		link = next
	}
	return nil
}

// decodeList reads a page of a list. Whole says whether an object has what no object lacks.
func decodeList[T any](body []byte, whole func(*T) bool) (items []T, err error) {
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, err
	}
	if items == nil {
		return nil, errNoList
	}
	for i := range items {
		if !whole(&items[i]) {
			return nil, errNotWhole
		}
	}
	return items, nil
}

// single asks for one object, which decode takes as a list of one.
func single[T any](ctx context.Context, s *Source, what, path string, decode func([]byte) ([]T, error)) (one T, err error) {
	err = s.client.Do(ctx, cloud.Request{URL: path, Take: func(a cloud.Answer) error {
		items, err := decode(slices.Concat([]byte{'['}, a.Body, []byte{']'}))
		switch {
		case err != nil:
			return err
		case len(items) != 1:
			return errNotWhole
		}
		one = items[0]
		return nil
	}})
	if err != nil {
		return one, fmt.Errorf("%s: %w", what, err)
	}
	return one, nil
}

// nextLink finds the link to the next page; empty: there is none. Okta sends each link in a
// header line of its own, and a proxy may join the lines.
func nextLink(h http.Header) string {
	for _, line := range h.Values("Link") {
		for rest := line; ; {
			_, after, ok := strings.Cut(rest, "<")
			if !ok {
				break
			}
			link, more, ok := strings.Cut(after, ">")
			if !ok {
				break
			}
			parameters, _, _ := strings.Cut(more, "<")
			if strings.Contains(strings.ReplaceAll(parameters, " ", ""), `rel="next"`) {
				return link
			}
			rest = more
		}
	}
	return ""
}

// query puts an expression into an address.
func query(path string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + strings.ReplaceAll(values.Encode(), "+", "%20")
}

// quoted writes a value of an expression.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
