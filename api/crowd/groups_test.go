package crowd_test

import (
	"strings"
	"testing"
)

var developersXML = declaration + `<group name="Developers" expand="attributes">` + self("/group?groupname=Developers") +
	`<description>who write it</description><type>GROUP</type><active>true</active>` +
	`<attributes>` + self("/group/attribute?groupname=Developers") + `</attributes></group>`

var developersJSON = `{"expand":"attributes",` + selfJSON("/group?groupname=Developers") + `,"name":"Developers","description":"who write it",` +
	`"type":"GROUP","active":true,"attributes":{"attributes":[],` + selfJSON("/group/attribute?groupname=Developers") + `}}`

func TestGroup(t *testing.T) {
	each(t, func(w *world) {
		a := w.call(call{do: "POST /group", body: `<group name="Developers"><type>GROUP</type><description>who write it</description><active>true</active></group>`,
			want: 201, is: "", gets: map[string]string{"Content-Type": "application/xml", "Content-Length": "0"}})
		if got, want := a.header.Get("Location"), w.url+"/crowd/rest/usermanagement/1/group?groupname=Developers"; got != want {
			w.t.Errorf("Location is %s, want %s", got, want)
		}
		w.run(
			call{name: "XML", do: "GET /group?groupname=developers", accept: "-", want: 200, is: developersXML},
			call{name: "JSON", do: "GET /group?groupname=DEVELOPERS", want: 200, is: developersJSON},
			call{name: "unknown", do: "GET /group?groupname=nothing", want: 404, reason: "GROUP_NOT_FOUND", has: []string{"Group <nothing> does not exist"}},
			call{name: "no name", do: "GET /group", want: 400, reason: "ILLEGAL_ARGUMENT", has: []string{"groupname"}},
			call{name: "taken", do: "POST /group", body: `{"name":"DEVELOPERS","type":"GROUP"}`, want: 400, reason: "INVALID_GROUP", has: []string{"Group already exists"}},
			call{name: "blank", do: "POST /group", body: `{"name":" x","type":"GROUP"}`, want: 400, reason: "INVALID_GROUP"},
			call{name: "no type", do: "POST /group", body: `{"name":"a"}`, want: 201, gets: map[string]string{"Content-Type": "application/json"}},
			call{name: "a type in lower case", do: "POST /group", body: `{"name":"b","type":"group"}`, want: 201},
			call{name: "roles are gone", do: "POST /group", body: `{"name":"c","type":"LEGACY_ROLE"}`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "Quirk 13: active as go-crowd sends it", do: "POST /group", body: `{"name":"d","type":"GROUP","active":"true"}`, want: 201},
			call{name: "Quirk 20: PUT answers 200 and the group", do: "PUT /group?groupname=developers", body: `{"name":"developers","type":"GROUP","description":"","active":false}`,
				want: 200, has: []string{`"name":"Developers","description":"","type":"GROUP","active":false`}},
			call{name: "an empty description in XML", do: "GET /group?groupname=developers", accept: "-", want: 200, has: []string{"<description/>"}},
			call{name: "what is left out stays", do: "PUT /group?groupname=developers", body: `{"name":"developers","description":"new"}`, want: 200, has: []string{`"active":false`, `"description":"new"`}},
			call{name: "another name", do: "PUT /group?groupname=developers", body: `{"name":"a"}`, want: 400, reason: "INVALID_GROUP"},
			call{name: "PUT of an unknown one", do: "PUT /group?groupname=nothing", body: `{"name":"nothing"}`, want: 404, reason: "GROUP_NOT_FOUND"},
			call{name: "DELETE", do: "DELETE /group?groupname=a", want: 204},
			call{name: "DELETE again", do: "DELETE /group?groupname=a", want: 404, reason: "GROUP_NOT_FOUND"},
		)
	})
}

func TestGroupAttributes(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		w.run(
			call{name: "none", do: "GET /group/attribute?groupname=developers", accept: "-", want: 200,
				is: declaration + "<attributes>" + self("/group/attribute?groupname=Developers") + "</attributes>"},
			call{name: "set", do: "POST /group/attribute?groupname=developers", body: `{"attributes":[{"name":"floor","values":["2"]}]}`, want: 204},
			call{name: "PUT is taken too", do: "PUT /group/attribute?groupname=developers", body: `{"attributes":[{"name":"room","values":["1","2"]}]}`, want: 204},
			call{name: "both", do: "GET /group/attribute?groupname=developers", want: 200,
				is: `{"attributes":[{` + selfJSON("/group/attribute?groupname=Developers&attributename=floor") + `,"name":"floor","values":["2"]},` +
					`{` + selfJSON("/group/attribute?groupname=Developers&attributename=room") + `,"name":"room","values":["1","2"]}],` +
					selfJSON("/group/attribute?groupname=Developers") + `}`},
			call{name: "in the group", do: "GET /group?groupname=developers&expand=attributes", want: 200, has: []string{`"name":"floor","values":["2"]`}},
			call{name: "in a list", do: "GET /user/group/direct?username=ada&expand=group,attributes", want: 200, has: []string{`"name":"floor","values":["2"]`}},
			call{name: "delete", do: "DELETE /group/attribute?groupname=developers&attributename=floor", want: 204},
			call{name: "gone", do: "GET /group/attribute?groupname=developers", want: 200, hasNot: []string{"floor"}},
			call{name: "unknown", do: "GET /group/attribute?groupname=nothing", want: 404, reason: "GROUP_NOT_FOUND"},
		)
	})
}

func TestGroupsOfUser(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		developers := `<group name="Developers">` + self("/group?groupname=Developers") + `</group>`
		interns := `<group name="interns">` + self("/group?groupname=interns") + `</group>`
		w.run(
			call{name: "Quirk 27: each has its link", do: "GET /user/group/direct?username=ada", accept: "-", want: 200,
				is: declaration + `<groups expand="group">` + developers + interns + `</groups>`},
			call{name: "JSON", do: "GET /user/group/direct?username=bob", want: 200,
				is: `{"expand":"group","groups":[{` + selfJSON("/group?groupname=interns") + `,"name":"interns"}]}`},
			call{name: "nested", do: "GET /user/group/nested?username=bob", accept: "-", want: 200,
				is: declaration + `<groups expand="group">` + developers + interns + `</groups>`},
			call{name: "Quirk 37: each once, though reached twice", do: "GET /user/group/nested?username=ada", accept: "-", want: 200,
				is: declaration + `<groups expand="group">` + developers + interns + `</groups>`},
			call{name: "none", do: "GET /user/group/direct?username=eve", accept: "-", want: 200, is: declaration + `<groups expand="group"/>`},
			call{name: "Quirk 34: none in JSON", do: "GET /user/group/nested?username=eve", want: 200, is: `{"expand":"group","groups":[]}`},
			call{name: "expanded", do: "GET /user/group/direct?username=ada&expand=group", want: 200, has: []string{developersJSON, `"active":true`}},
			call{name: "Quirk 17: expand=none", do: "GET /user/group/direct?username=bob&expand=none", want: 200,
				is: `{"expand":"group","groups":[{` + selfJSON("/group?groupname=interns") + `,"name":"interns"}]}`},
			call{name: "Quirk 39: one page", do: "GET /user/group/nested?username=ada&start-index=0&max-results=1", accept: "-", want: 200,
				is: declaration + `<groups expand="group">` + developers + `</groups>`},
			call{name: "the next page", do: "GET /user/group/nested?username=ada&start-index=1&max-results=1", accept: "-", want: 200,
				is: declaration + `<groups expand="group">` + interns + `</groups>`},
			call{name: "beyond the end", do: "GET /user/group/nested?username=ada&start-index=2&max-results=1", accept: "-", want: 200, is: declaration + `<groups expand="group"/>`},
			call{name: "Quirk 17: all", do: "GET /user/group/nested?username=ada&max-results=-1", want: 200, has: []string{"Developers", "interns"}},
			call{name: "Quirk 17: 99999", do: "GET /user/group/nested?username=ada&max-results=99999", want: 200, has: []string{"Developers", "interns"}},
			call{name: "no results", do: "GET /user/group/nested?username=ada&max-results=0", want: 200, is: `{"expand":"group","groups":[]}`},
			call{name: "negative paging", do: "GET /user/group/nested?username=ada&max-results=-2", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "no number", do: "GET /user/group/nested?username=ada&start-index=x", want: 400, reason: "ILLEGAL_ARGUMENT", has: []string{"start-index"}},
			call{name: "unknown user", do: "GET /user/group/nested?username=nobody", want: 404, reason: "USER_NOT_FOUND"},
			call{name: "no user", do: "GET /user/group/nested", want: 400, reason: "ILLEGAL_ARGUMENT"},
		)
	})
}

func TestMembershipQuestions(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		w.run(
			call{name: "the name as it was asked for", do: "GET /user/group/direct?username=BOB&groupname=INTERNS", want: 200,
				is: `{` + selfJSON("/group?groupname=INTERNS") + `,"name":"INTERNS"}`},
			call{name: "XML, as the Java client asks: no Accept", do: "GET /group/user/direct?groupname=interns&username=Bob", accept: "-", want: 200,
				is: declaration + `<user name="Bob">` + self("/user?username=Bob") + `</user>`},
			call{name: "not directly", do: "GET /user/group/direct?username=bob&groupname=developers", want: 404, reason: "MEMBERSHIP_NOT_FOUND"},
			call{name: "but nested", do: "GET /user/group/nested?username=bob&groupname=developers", want: 200},
			call{name: "nested from the group", do: "GET /group/user/nested?groupname=developers&username=bob", want: 200},
			call{name: "not at all", do: "GET /group/user/nested?groupname=empty&username=bob", want: 404, reason: "MEMBERSHIP_NOT_FOUND"},
			call{name: "an unknown user", do: "GET /group/user/direct?groupname=interns&username=nobody", want: 404, reason: "MEMBERSHIP_NOT_FOUND"},
			call{name: "an unknown group", do: "GET /user/group/direct?username=bob&groupname=nothing", want: 404, reason: "MEMBERSHIP_NOT_FOUND"},
			call{name: "an empty name is still a question", do: "GET /user/group/direct?username=bob&groupname=", want: 404, reason: "MEMBERSHIP_NOT_FOUND"},
			call{name: "a child", do: "GET /group/child-group/direct?groupname=developers&child-groupname=interns", want: 200,
				is: `{` + selfJSON("/group?groupname=interns") + `,"name":"interns"}`},
			call{name: "not a child", do: "GET /group/child-group/nested?groupname=interns&child-groupname=developers", want: 404, reason: "MEMBERSHIP_NOT_FOUND"},
			call{name: "a parent, by Crowd's own name", do: "GET /group/parent-group/direct?groupname=interns&child-groupname=developers", want: 200},
			call{name: "a parent, by its right name", do: "GET /group/parent-group/direct?groupname=interns&parent-groupname=developers", want: 200},
			call{name: "a parent, nested", do: "GET /group/parent-group/nested?groupname=interns&parent-groupname=developers", want: 200},
			call{name: "not a parent", do: "GET /group/parent-group/direct?groupname=developers&parent-groupname=interns", want: 404, reason: "MEMBERSHIP_NOT_FOUND"},
		)
	})
}

func TestMembersOfGroup(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		ada := `<user name="Ada">` + self("/user?username=Ada") + `</user>`
		bob := `<user name="bob">` + self("/user?username=bob") + `</user>`
		w.run(
			call{name: "direct", do: "GET /group/user/direct?groupname=developers", accept: "-", want: 200, is: declaration + `<users expand="user">` + ada + `</users>`},
			call{name: "Quirk 37: nested, each once", do: "GET /group/user/nested?groupname=developers", accept: "-", want: 200, is: declaration + `<users expand="user">` + ada + bob + `</users>`},
			call{name: "expanded", do: "GET /group/user/direct?groupname=developers&expand=user", want: 200, is: `{"expand":"user","users":[` + adaJSON + `]}`},
			call{name: "expanded with attributes", do: "GET /group/user/direct?groupname=developers&expand=user.attributes", want: 200, has: []string{`"name":"passwordLastChanged"`}},
			call{name: "a C# tool compares this byte for byte", do: "GET /group/user/direct?groupname=empty", accept: "-", want: 200, is: declaration + `<users expand="user"/>`},
			call{name: "unknown", do: "GET /group/user/direct?groupname=nothing", want: 404, reason: "GROUP_NOT_FOUND"},
			call{name: "children", do: "GET /group/child-group/direct?groupname=developers", want: 200, is: `{"expand":"group","groups":[{` + selfJSON("/group?groupname=interns") + `,"name":"interns"}]}`},
			call{name: "parents", do: "GET /group/parent-group/nested?groupname=interns", want: 200, is: `{"expand":"group","groups":[{` + selfJSON("/group?groupname=Developers") + `,"name":"Developers"}]}`},
			call{name: "no parents", do: "GET /group/parent-group/direct?groupname=developers", want: 200, is: `{"expand":"group","groups":[]}`},
			call{name: "parents of an unknown one", do: "GET /group/parent-group/direct?groupname=nothing", want: 404, reason: "GROUP_NOT_FOUND"},
			call{name: "children of an unknown one", do: "GET /group/child-group/nested?groupname=nothing", want: 404, reason: "GROUP_NOT_FOUND"},
		)
	})
}

func TestQuirk21And23ChangingMemberships(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		base := w.url + "/crowd/rest/usermanagement/1"
		w.run(
			call{name: "by the group: 201, no body, but a type", do: "POST /group/user/direct?groupname=DEVELOPERS", body: `{"name":"BOB"}`, want: 201, is: "",
				gets: map[string]string{"Content-Type": "application/json", "Location": base + "/group/user/direct?groupname=Developers&username=bob"}},
			call{name: "twice", do: "POST /group/user/direct?groupname=developers", body: `{"name":"bob"}`, want: 409, reason: "MEMBERSHIP_ALREADY_EXISTS"},
			call{name: "an unknown user in the body", do: "POST /group/user/direct?groupname=developers", body: `{"name":"nobody"}`, want: 400, reason: "USER_NOT_FOUND"},
			call{name: "an unknown group in the query", do: "POST /group/user/direct?groupname=nothing", body: `{"name":"bob"}`, want: 404, reason: "GROUP_NOT_FOUND"},
			call{name: "by the user", do: "POST /user/group/direct?username=bob", body: `<group name="empty"/>`, want: 201,
				gets: map[string]string{"Content-Type": "application/xml", "Location": base + "/user/group/direct?username=bob&groupname=empty"}},
			call{name: "an unknown group in the body", do: "POST /user/group/direct?username=bob", body: `{"name":"nothing"}`, want: 400, reason: "GROUP_NOT_FOUND"},
			call{name: "an unknown user in the query", do: "POST /user/group/direct?username=nobody", body: `{"name":"empty"}`, want: 404, reason: "USER_NOT_FOUND"},
			call{name: "swapped parameters are not mended", do: "POST /user/group/direct?groupname=empty", body: `{"name":"ada"}`, want: 400, reason: "ILLEGAL_ARGUMENT", has: []string{"username"}},
			call{name: "Quirk 51: a minimal entity with empty children", do: "POST /group/user/direct?groupname=empty", body: `<user name="eve"><active/><first-name/><attributes/></user>`, want: 201},
			call{name: "no name", do: "POST /group/user/direct?groupname=empty", body: `{}`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "remove", do: "DELETE /group/user/direct?groupname=empty&username=eve", want: 204},
			call{name: "remove again", do: "DELETE /group/user/direct?groupname=empty&username=eve", want: 404, reason: "MEMBERSHIP_NOT_FOUND"},
			call{name: "remove by the user", do: "DELETE /user/group/direct?username=bob&groupname=empty", want: 204},
			call{name: "the user is looked for first", do: "DELETE /group/user/direct?groupname=nothing&username=nobody", want: 404, reason: "USER_NOT_FOUND"},
			call{name: "then the group", do: "DELETE /user/group/direct?username=bob&groupname=nothing", want: 404, reason: "GROUP_NOT_FOUND"},
			call{name: "no name to remove", do: "DELETE /group/user/direct?groupname=empty", want: 400, reason: "ILLEGAL_ARGUMENT"},
		)
	})
}

func TestNesting(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		base := w.url + "/crowd/rest/usermanagement/1"
		const child = "POST /group/child-group/direct?groupname="
		w.run(
			call{name: "Quirk 19: a whole group where only the name counts", do: child + "interns", body: `{"name":"EMPTY","type":"GROUP","description":"x","active":true}`, want: 201,
				gets: map[string]string{"Location": base + "/group/child-group/direct?groupname=interns&child-groupname=empty"}},
			call{name: "twice", do: child + "interns", body: `{"name":"empty"}`, want: 409, reason: "MEMBERSHIP_ALREADY_EXISTS"},
			call{name: "an unknown child", do: child + "interns", body: `{"name":"nothing"}`, want: 400, reason: "GROUP_NOT_FOUND"},
			call{name: "an unknown parent", do: child + "nothing", body: `{"name":"empty"}`, want: 404, reason: "GROUP_NOT_FOUND"},
			call{name: "both unknown and the same", do: child + "nothing", body: `{"name":"NOTHING"}`, want: 404, reason: "GROUP_NOT_FOUND"},
			call{name: "into itself", do: child + "interns", body: `{"name":"interns"}`, want: 400, reason: "INVALID_MEMBERSHIP"},
			call{name: "a circle", do: child + "empty", body: `{"name":"developers"}`, want: 400, reason: "INVALID_MEMBERSHIP"},
			call{name: "remove", do: "DELETE /group/child-group/direct?groupname=interns&child-groupname=empty", want: 204},
			call{name: "remove again", do: "DELETE /group/child-group/direct?groupname=interns&child-groupname=empty", want: 404, reason: "MEMBERSHIP_NOT_FOUND"},
			call{name: "by the child", do: "POST /group/parent-group/direct?groupname=empty", body: `<group name="interns"/>`, want: 201,
				gets: map[string]string{"Location": base + "/group/parent-group/direct?groupname=empty&parent-groupname=interns"}},
			call{name: "an unknown parent in the body", do: "POST /group/parent-group/direct?groupname=empty", body: `{"name":"nothing"}`, want: 400, reason: "GROUP_NOT_FOUND"},
			call{name: "an unknown child in the query", do: "POST /group/parent-group/direct?groupname=nothing", body: `{"name":"empty"}`, want: 404, reason: "GROUP_NOT_FOUND"},
			call{name: "the children", do: "GET /group/child-group/nested?groupname=developers", want: 200, has: []string{`"interns"`, `"empty"`}, hasNot: []string{`"Developers"`}},
		)
	})
}

func TestQuirk30Memberships(t *testing.T) {
	each(t, func(w *world) {
		whole := declaration + `<memberships/>`
		w.run(call{name: "no groups", do: "GET /group/membership", accept: "-", want: 200, is: whole})
		w.people()
		w.groups()
		whole = declaration + `<memberships>` +
			`<membership group="Developers"><users><user name="Ada"/></users><groups><group name="interns"/></groups></membership>` +
			`<membership group="empty"><users/><groups/></membership>` +
			`<membership group="interns"><users><user name="Ada"/><user name="bob"/></users><groups/></membership>` +
			`</memberships>`
		asXML := map[string]string{"Content-Type": "application/xml"}
		w.run(
			call{name: "XML", do: "GET /group/membership", accept: "application/xml", want: 200, is: whole, gets: asXML},
			call{name: "XML, whatever the caller asks for", do: "GET /group/membership", accept: "application/json", want: 200, is: whole, gets: asXML},
			call{name: "never 406", do: "GET /group/membership", accept: "text/plain", want: 200, is: whole, gets: asXML},
			call{name: "a suffix changes nothing", do: "GET /group/membership.json", want: 200, is: whole, gets: asXML},
		)
	})
}

func TestMembershipsOfManyGroupsArriveWhole(t *testing.T) {
	each(t, func(w *world) {
		w.call(call{do: "POST /group", body: `{"name":"crowd of people"}`, want: 201})
		const many = 300
		long := strings.Repeat("x", 240)
		for i := range many {
			name := long + string(rune('a'+i/26%26)) + string(rune('a'+i%26))
			w.call(call{do: "POST /group", body: `{"name":"` + name + `"}`, want: 201})
		}
		body := w.call(call{do: "GET /group/membership", want: 200}).body
		if got := strings.Count(body, "<membership "); got != many+1 || !strings.HasSuffix(body, "</memberships>") {
			w.t.Errorf("the answer has %d groups and ends in %q", got, body[len(body)-20:])
		}
	})
}
