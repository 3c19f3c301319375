package crowd

import (
	"slices"
	"testing"
)

// A list of names is to the byte what the entities with nothing but a name write.
func TestNamesAreWrittenLikeEntities(t *testing.T) {
	for _, names := range [][]string{
		nil, {"ada"}, {"ada", "bar baz", `e"v\e`, "<&>'", "Grüße", "日本", "a+b%20", "tab\there", "\u2028", "\xff", "", "~-_."},
	} {
		users, groups := userList{}, groupList{}
		for _, name := range names {
			users, groups = append(users, userEntity{links: host, name: name}), append(groups, groupEntity{links: host, name: name})
		}
		asUsers, asGroups := nameList{userNames, host, slices.Values(names)}, nameList{groupNames, host, slices.Values(names)}
		for _, c := range []struct{ want, got []byte }{
			{users.AppendXML(nil), asUsers.AppendXML(nil)}, {users.AppendJSON(nil), asUsers.AppendJSON(nil)},
			{groups.AppendXML(nil), asGroups.AppendXML(nil)}, {groups.AppendJSON(nil), asGroups.AppendJSON(nil)},
		} {
			if string(c.got) != string(c.want) {
				t.Errorf("%q are written\n%s, want\n%s", names, c.got, c.want)
			}
		}
	}
}
