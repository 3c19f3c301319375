package crowd_test

import (
	"regexp"
	"strings"
	"testing"
)

func TestWebhooks(t *testing.T) {
	each(t, func(w *world) {
		w.app("wiki", "127.0.0.1")
		// The application calls from 127.0.0.1, so its webhooks may lead there.
		const endpoint, wiki = "http://127.0.0.1:9/plugins/servlet/crowdnotify?a=1&amp;b=2", "wiki:secret-of-wiki"
		a := w.call(call{do: "POST /webhook", want: 201,
			body: "<?xml version=\"1.0\"?>\n<webhook>\n <token>c2VjcmV0</token>\n <id>99</id>\n <endpointUrl>" + endpoint + "</endpointUrl>\n <x/>\n</webhook>"})
		found := regexp.MustCompile(`^` + regexp.QuoteMeta(declaration) + `<webhook><id>(\d+)</id><endpointUrl>(.*)</endpointUrl><token>c2VjcmV0</token></webhook>$`).FindStringSubmatch(a.body)
		if found == nil || found[2] != endpoint {
			w.t.Fatalf("a webhook is registered as %s", a.body)
		}
		id := found[1]
		if got, want := a.header.Get("Location"), w.url+"/crowd/rest/usermanagement/1/webhook/"+id; got != want {
			w.t.Errorf("Location is %s, want %s", got, want)
		}
		asJSON := `{"id":` + id + `,"endpointUrl":"` + strings.ReplaceAll(endpoint, "&amp;", "&") + `","token":"c2VjcmV0"}`
		w.run(
			call{name: "read", do: "GET /webhook/" + id, want: 200, is: asJSON},
			call{name: "read as XML", do: "GET /webhook/" + id, accept: "-", want: 200, is: a.body},
			call{name: "the same again keeps the token", do: "POST /webhook", body: strings.Replace(asJSON, "c2VjcmV0", "b3RoZXI=", 1), want: 201, is: asJSON},
			call{name: "without a token", do: "POST /webhook", body: `{"endpointUrl":"http://127.0.0.1:9/other"}`, want: 201, has: []string{`"endpointUrl":"http://127.0.0.1:9/other"}`}, hasNot: []string{"token"}},
			call{name: "another application may have the same", do: "POST /webhook", as: wiki, body: `{"endpointUrl":"http://127.0.0.1:9/other"}`, want: 201},
			call{name: "another application's", do: "GET /webhook/" + id, as: wiki, want: 403, reason: "APPLICATION_PERMISSION_DENIED"},
			call{name: "removal by another application", do: "DELETE /webhook/" + id, as: wiki, want: 403, reason: "APPLICATION_PERMISSION_DENIED"},
			call{name: "unknown", do: "GET /webhook/99999", want: 404, reason: "WEBHOOK_NOT_FOUND"},
			call{name: "no number", do: "GET /webhook/seven", want: 404, reason: "WEBHOOK_NOT_FOUND"},
			call{name: "below zero", do: "DELETE /webhook/-1", want: 404, reason: "WEBHOOK_NOT_FOUND"},
			call{name: "too large a number", do: "DELETE /webhook/99999999999999999999", want: 404, reason: "WEBHOOK_NOT_FOUND"},
			call{name: "remove", do: "DELETE /webhook/" + id, want: 204},
			call{name: "it is gone", do: "GET /webhook/" + id, want: 404, reason: "WEBHOOK_NOT_FOUND"},
			call{name: "remove again", do: "DELETE /webhook/" + id, want: 404, reason: "WEBHOOK_NOT_FOUND"},
			call{name: "no list", do: "GET /webhook", want: 405},
		)
		for name, url := range map[string]string{
			"empty": "", "relative": "/crowdnotify", "a file": "file:///etc/passwd", "no host": "http://", "a password": "http://a:b@127.0.0.1/",
			"another loopback": "http://127.0.0.2/", "link-local": "http://169.254.169.254/latest/meta-data", "private": "http://10.1.2.3/",
		} {
			w.run(call{name: name, do: "POST /webhook", body: `{"endpointUrl":"` + url + `"}`, want: 400, reason: "ILLEGAL_ARGUMENT"})
		}
		w.run(
			call{name: "no body", do: "POST /webhook", kind: "application/json", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "another root", do: "POST /webhook", body: "<hook/>", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "a token that no header can have", do: "POST /webhook", body: `{"endpointUrl":"http://127.0.0.1:9/","token":"a\r\nX: y"}`, want: 400, reason: "ILLEGAL_ARGUMENT"},
		)
	})
}
