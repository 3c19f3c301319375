package crowd_test

import (
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// adaXML is Ada as Crowd would answer, typed in from its reference.
var adaXML = declaration + `<user name="Ada" expand="attributes">` + self("/user?username=Ada") +
	`<first-name>Ada</first-name><last-name>Lovelace</last-name><display-name>Ada Lovelace</display-name>` +
	`<directory-id>1</directory-id><email>ada@example.test</email>` +
	`<password><link href="http://rollcall.test/crowd/rest/usermanagement/1/user/password?username=Ada" rel="edit"/></password>` +
	`<key>1:<uuid></key><created-date>2026-03-02T12:00:00.000Z</created-date><updated-date>2026-03-02T12:00:00.000Z</updated-date>` +
	`<directory-name>staff</directory-name><active>true</active>` +
	`<attributes>` + self("/user/attribute?username=Ada") + `</attributes></user>`

var adaJSON = `{"expand":"attributes",` + selfJSON("/user?username=Ada") + `,"name":"Ada","first-name":"Ada","last-name":"Lovelace",` +
	`"display-name":"Ada Lovelace","directory-id":1,"email":"ada@example.test",` +
	`"password":{"link":{"href":"http://rollcall.test/crowd/rest/usermanagement/1/user/password?username=Ada","rel":"edit"}},` +
	`"key":"1:<uuid>","created-date":1772452800000,"updated-date":1772452800000,"directory-name":"staff","active":true,` +
	`"attributes":{"attributes":[],` + selfJSON("/user/attribute?username=Ada") + `}}`

func TestGetUser(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.run(
			call{name: "XML", do: "GET /user?username=Ada", accept: "-", want: 200, is: adaXML},
			call{name: "JSON", do: "GET /user?username=Ada", want: 200, is: adaJSON},
			call{name: "Quirk 38: another case gives the stored spelling", do: "GET /user?username=aDA", want: 200, is: adaJSON},
			call{name: "with attributes", do: "GET /user?username=ada&expand=attributes", want: 200, has: []string{`"name":"passwordLastChanged","values":["1772452800000"]`}},
			call{name: "no name", do: "GET /user", want: 400, reason: "ILLEGAL_ARGUMENT", has: []string{"username"}},
			call{name: "an empty name", do: "GET /user?username=", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "unknown", do: "GET /user?username=nobody", want: 404, reason: "USER_NOT_FOUND", has: []string{"User <nobody> does not exist"}},
			call{name: "a key that is none", do: "GET /user?key=ada", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "an unknown key", do: "GET /user?key=1:nobody", want: 404, reason: "USER_NOT_FOUND"},
			call{name: "a key of another directory", do: "GET /user?key=77:x", want: 404, reason: "USER_NOT_FOUND"},
		)
	})
}

// key reads a user's key from the answer as it came: call makes UUIDs the same.
func (w *world) key(name string) string {
	w.t.Helper()
	u, err := w.store.UserByName(w.t.Context(), 1, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return "1:" + u.ExternalID
}

func TestQuirk42KeysAreStable(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		key := w.key("ada")
		w.run(
			call{name: "by key", do: "GET /user?key=" + key, want: 200, is: adaJSON},
			call{name: "rename", do: "POST /user/rename?username=ada", body: `{"new-name":"countess"}`, want: 200, has: []string{`"name":"countess"`}},
			call{name: "password", do: "PUT /user/password?username=countess", body: `{"value":"engine"}`, want: 204},
			call{name: "by the same key", do: "GET /user?key=" + key, want: 200, has: []string{`"name":"countess"`}},
		)
		if got := w.key("countess"); got != key {
			w.t.Errorf("the key is %s after the rename, want %s", got, key)
		}
	})
}

func TestCreateUser(t *testing.T) {
	each(t, func(w *world) {
		a := w.call(call{do: "POST /user", want: 201,
			body: `<user name="Zoë K"><first-name>Zoë</first-name><last-name>K</last-name><display-name>Z.</display-name>` +
				`<email>z@example.test</email><active>true</active><password><value>x</value></password>` +
				`<attributes><attribute name="department"><values><value>R&amp;D</value></values></attribute></attributes></user>`,
			has: []string{
				declaration + `<user name="Zoë K" expand="attributes">`, `<key>1:<uuid></key>`, `<display-name>Z.</display-name>`,
				`<attribute name="department">` + self("/user/attribute?username=Zo%C3%AB+K&amp;attributename=department") +
					`<values><value>R&amp;D</value></values></attribute>`,
			}})
		if got, want := a.header.Get("Location"), w.url+"/crowd/rest/usermanagement/1/user?username=Zo%C3%AB+K"; got != want {
			w.t.Errorf("Location is %s, want %s", got, want)
		}
		w.run(
			call{name: "that password works", do: "POST /authentication?username=zo%C3%AB+k", body: `{"value":"x"}`, want: 200},
			call{name: "only a name: active, and the name for a display name", do: "POST /user", body: `{"name":"robot"}`, want: 201,
				has: []string{`"active":true`, `"last-name":"robot"`, `"display-name":"robot"`, `"first-name":""`}},
			call{name: "nobody can log in without a password", do: "POST /authentication?username=robot", body: `{"value":""}`, want: 400, reason: "INVALID_USER_AUTHENTICATION"},
			call{name: "Quirk 13: a boolean as a string", do: "POST /user", body: `{"name":"off","active":"false"}`, want: 201, has: []string{`"active":false`}},
			call{name: "an encoded password", do: "POST /user", want: 201,
				body: `<user name="old"><encrypted-password><value>{SSHA}oZvG/Ss7r1DyGH9h8Iwq8QSPwPhzYWx0</value></encrypted-password></user>`},
			call{name: "the name is taken", do: "POST /user", body: `{"name":"ROBOT"}`, want: 400, reason: "INVALID_USER", has: []string{"User already exists"}},
			call{name: "a blank before the name", do: "POST /user", body: `{"name":" x"}`, want: 400, reason: "INVALID_USER"},
			call{name: "no name", do: "POST /user", body: `{"active":true}`, want: 400, reason: "INVALID_USER"},
			call{name: "an empty password is given and refused", do: "POST /user", body: `{"name":"x","password":{"value":""}}`, want: 400, reason: "INVALID_CREDENTIAL"},
			call{name: "two passwords", do: "POST /user", body: `{"name":"x","password":{"value":"a"},"encrypted-password":{"value":"{SSHA}b"}}`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "an attribute without a name", do: "POST /user", body: `{"name":"x","attributes":{"attributes":[{"values":["1"]}]}}`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "nobody was created", do: "GET /user?username=x", want: 404},
		)
	})
}

func TestWritesNeedPermission(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		w.app("reader", "127.0.0.1", func(n *application.NewApplication) { n.Permissions = models.ReadOnly })
		for _, c := range []call{
			{do: "POST /user", body: `{"name":"x"}`},
			{do: "PUT /user?username=ada", body: `{"name":"ada","active":false}`},
			{do: "DELETE /user?username=ada"},
			{do: "POST /user/rename?username=ada", body: `{"new-name":"x"}`},
			{do: "POST /user/attribute?username=ada", body: `{"attributes":[{"name":"a","values":["1"]}]}`},
			{do: "DELETE /user/attribute?username=ada&attributename=a"},
			{do: "PUT /user/password?username=ada", body: `{"value":"x"}`},
			{do: "DELETE /user/password?username=ada"},
			{do: "POST /group", body: `{"name":"x"}`},
			{do: "PUT /group?groupname=interns", body: `{"name":"interns"}`},
			{do: "DELETE /group?groupname=interns"},
			{do: "POST /group/attribute?groupname=interns", body: `{"attributes":[{"name":"a","values":["1"]}]}`},
			{do: "POST /user/group/direct?username=bob", body: `{"name":"developers"}`},
			{do: "DELETE /user/group/direct?username=bob&groupname=interns"},
			{do: "POST /group/child-group/direct?groupname=interns", body: `{"name":"empty"}`},
			{do: "DELETE /group/child-group/direct?groupname=developers&child-groupname=interns"},
		} {
			c.as, c.want, c.reason = "reader:secret-of-reader", 403, "APPLICATION_PERMISSION_DENIED"
			w.run(c)
		}
		w.run(call{name: "nothing changed", do: "GET /user?username=ada", as: "reader:secret-of-reader", want: 200, is: adaJSON})
	})
}

func TestUpdateUser(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.run(
			call{name: "204 without a body", do: "PUT /user?username=ada", body: `{"name":"ADA","email":"a@example.test"}`, want: 204, gets: map[string]string{"Content-Type": ""}},
			call{name: "what was left out stays", do: "GET /user?username=ada", want: 200, has: []string{`"email":"a@example.test"`, `"first-name":"Ada"`, `"active":true`, `"name":"Ada"`}},
			call{name: "deactivate in XML", do: "PUT /user?username=ada", body: `<user name="ada"><active>false</active></user>`, want: 204},
			call{name: "inactive", do: "POST /authentication?username=ada", body: `{"value":"difference"}`, want: 400, reason: "INACTIVE_ACCOUNT"},
			call{name: "another name", do: "PUT /user?username=ada", body: `{"name":"bob"}`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "no name", do: "PUT /user?username=ada", body: `{"email":"x"}`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "another directory", do: "PUT /user?username=ada", body: `{"name":"ada","directory-id":99}`, want: 400, reason: "INVALID_USER"},
			call{name: "its own directory", do: "PUT /user?username=ada", body: `{"name":"ada","directory-id":1}`, want: 204},
			call{name: "unknown", do: "PUT /user?username=nobody", body: `{"name":"nobody"}`, want: 404, reason: "USER_NOT_FOUND"},
			call{name: "COmanage's random password changes nothing", do: "PUT /user?username=bob", body: `{"name":"bob","password":{"value":"random"}}`, want: 204},
			call{name: "the password is the old one", do: "POST /authentication?username=bob", body: `{"value":"can we fix it"}`, want: 200},
		)
	})
}

// python-crowd's set_active sends back the whole object that it got.
func TestQuirk14WhatWasReadCanBeWritten(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		for _, accept := range []string{"application/json", "application/xml"} {
			for _, query := range []string{"username=ada", "username=ada&expand=attributes"} {
				whole := w.call(call{do: "GET /user?" + query, accept: accept, want: 200}).raw
				whole = strings.Replace(whole, `"active":true`, `"active":"true"`, 1)
				w.run(call{name: accept + " " + query, do: "PUT /user?username=ada", body: whole, want: 204})
			}
		}
		w.run(
			call{name: "nothing changed", do: "GET /user?username=ada", want: 200, is: adaJSON},
			call{name: "nor the password", do: "POST /authentication?username=ada", body: `{"value":"difference"}`, want: 200},
		)
	})
}

func TestDeleteUser(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.run(
			call{do: "DELETE /user?username=ADA", want: 204},
			call{name: "gone", do: "GET /user?username=ada", want: 404},
			call{name: "again", do: "DELETE /user?username=ada", want: 404, reason: "USER_NOT_FOUND"},
			call{name: "no name", do: "DELETE /user", want: 400, reason: "ILLEGAL_ARGUMENT"},
		)
	})
}

func TestRenameUser(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.run(
			call{name: "new-name", do: "POST /user/rename?username=ada", body: `{"new-name":"ada2"}`, want: 200, has: []string{`"name":"ada2"`, `"key":"1:<uuid>"`}},
			call{name: "newName, as atlassian-python-api has it", do: "POST /user/rename?username=ada2", body: `{"newName":"ada3"}`, want: 200, has: []string{`"name":"ada3"`}},
			call{name: "XML in a root of the same name", do: "POST /user/rename?username=ada3", body: `<new-name><new-name>ada4</new-name></new-name>`, want: 200, has: []string{`<user name="ada4"`}},
			call{name: "XML in a root of another name", do: "POST /user/rename?username=ada4", body: `<rename><new-name>ada5</new-name></rename>`, want: 200, has: []string{`<user name="ada5"`}},
			call{name: "XML without a wrapping", do: "POST /user/rename?username=ada5", body: `<new-name>ada</new-name>`, want: 200, has: []string{`<user name="ada"`}},
			call{name: "only the case", do: "POST /user/rename?username=ada", body: `{"new-name":"ADA"}`, want: 200, has: []string{`"name":"ADA"`}},
			call{name: "taken", do: "POST /user/rename?username=ada", body: `{"new-name":"Bob"}`, want: 400, reason: "INVALID_USER"},
			call{name: "blank", do: "POST /user/rename?username=ada", body: `{"new-name":""}`, want: 400, reason: "INVALID_USER"},
			call{name: "nothing said", do: "POST /user/rename?username=ada", body: `{}`, want: 400, reason: "INVALID_USER"},
			call{name: "unknown", do: "POST /user/rename?username=nobody", body: `{"new-name":"x"}`, want: 404, reason: "USER_NOT_FOUND"},
		)
	})
}

func TestUserAttributes(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		department := `<attribute name="department">` + self("/user/attribute?username=Ada&amp;attributename=department") +
			`<values><value>Ops</value><value>R&amp;D</value></values></attribute>` // values have no order; the store sorts them
		w.run(
			call{name: "POST in XML", do: "POST /user/attribute?username=ada", want: 204,
				body: `<attributes><attribute name="department"><values><value>R&amp;D</value><value>Ops</value></values></attribute></attributes>`},
			call{name: "GET in XML", do: "GET /user/attribute?username=ada", accept: "-", want: 200,
				has: []string{declaration + `<attributes>`, department, self("/user/attribute?username=Ada") + `</attributes>`}},
			call{name: "PUT is taken too", do: "PUT /user/attribute?username=ada", body: `{"attributes":[{"name":"phone","values":["1"]}]}`, want: 204},
			call{name: "others stay", do: "GET /user/attribute?username=ada", want: 200,
				has: []string{`"name":"department","values":["Ops","R&D"]`, `"name":"phone","values":["1"]`}},
			call{name: "in the user, expanded", do: "GET /user?username=ada&expand=attributes", accept: "-", want: 200, has: []string{department}},
			call{name: "the values are replaced", do: "POST /user/attribute?username=ada", body: `{"attributes":[{"name":"phone","values":["2","3"]}]}`, want: 204},
			call{name: "replaced", do: "GET /user/attribute?username=ada", want: 200, has: []string{`"name":"phone","values":["2","3"]`}},
			call{name: "no values delete", do: "POST /user/attribute?username=ada", body: `{"attributes":[{"name":"phone","values":[]}]}`, want: 204},
			call{name: "deleted", do: "GET /user/attribute?username=ada", want: 200, hasNot: []string{"phone"}},
			call{name: "DELETE", do: "DELETE /user/attribute?username=ada&attributename=department", want: 204},
			call{name: "DELETE again", do: "DELETE /user/attribute?username=ada&attributename=department", want: 204},
			call{name: "DELETE of no name", do: "DELETE /user/attribute?username=ada", want: 400, reason: "ILLEGAL_ARGUMENT", has: []string{"attributename"}},
			call{name: "unknown user", do: "GET /user/attribute?username=nobody", want: 404, reason: "USER_NOT_FOUND"},
			call{name: "setting an unknown user's", do: "POST /user/attribute?username=nobody", body: `{"attributes":[]}`, want: 404, reason: "USER_NOT_FOUND"},
			call{name: "a string for the values", do: "POST /user/attribute?username=ada", body: `{"attributes":[{"name":"x","values":"1"}]}`, want: 400, reason: "ILLEGAL_ARGUMENT"},
		)
	})
}

func TestUserPassword(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.run(
			call{name: "set", do: "PUT /user/password?username=ada", body: `{"value":"engine"}`, want: 204},
			call{name: "works", do: "POST /authentication?username=ada", body: `{"value":"engine"}`, want: 200},
			call{name: "empty", do: "PUT /user/password?username=ada", body: `<password><value/></password>`, want: 400, reason: "INVALID_CREDENTIAL"},
			call{name: "none", do: "PUT /user/password?username=ada", body: `{}`, want: 400, reason: "INVALID_CREDENTIAL"},
			call{name: "unknown", do: "PUT /user/password?username=nobody", body: `{"value":"x"}`, want: 404, reason: "USER_NOT_FOUND"},
			call{name: "clear", do: "DELETE /user/password?username=ada", want: 204},
			call{name: "no longer", do: "POST /authentication?username=ada", body: `{"value":"engine"}`, want: 400, reason: "INVALID_USER_AUTHENTICATION"},
		)
	})
}
