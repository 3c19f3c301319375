package testkit

import (
	"fmt"
	"net/http"
	"net/url"
)

// CreateUser creates a user, and reads it again as the client does.
func (j *Jira) CreateUser(name, mail, password string) error {
	body := fmt.Sprintf(`<user name="%s"><first-name>%s</first-name><last-name>L</last-name><display-name>%s L</display-name><email>%s</email><active>true</active><password><value>%s</value></password></user>`,
		escape(name), escape(name), escape(name), escape(mail), escape(password))
	var u jiraUser
	if err := j.call(http.MethodPost, "/user", body, nil); err != nil {
		return err
	}
	if err := j.call(http.MethodGet, "/user?username="+url.QueryEscape(name)+"&expand=attributes", "", &u); err != nil {
		return err
	}
	j.Copy.Users[low(u.Name)] = u.kept()
	return nil
}

// RemoveUser deletes a user.
func (j *Jira) RemoveUser(name string) error {
	if err := j.call(http.MethodDelete, "/user?username="+url.QueryEscape(name), "", nil); err != nil {
		return err
	}
	j.dropUser(name)
	return nil
}

// CreateGroup creates a group, and reads it again.
func (j *Jira) CreateGroup(name string) error {
	body := fmt.Sprintf(`<group name="%s"><type>GROUP</type><description>by Jira</description><active>true</active></group>`, escape(name))
	var g jiraGroup
	if err := j.call(http.MethodPost, "/group", body, nil); err != nil {
		return err
	}
	if err := j.call(http.MethodGet, "/group?groupname="+url.QueryEscape(name), "", &g); err != nil {
		return err
	}
	j.Copy.Groups[low(g.Name)] = g.kept()
	return nil
}

// AddMember puts a user into a group.
func (j *Jira) AddMember(user, group string) error {
	body := fmt.Sprintf(`<user name="%s"/>`, escape(user))
	if err := j.call(http.MethodPost, "/group/user/direct?groupname="+url.QueryEscape(group), body, nil); err != nil {
		return err
	}
	j.Copy.Members[low(group)] = with(j.Copy.Members[low(group)], user)
	return nil
}

// RemoveMember takes a user out of a group.
func (j *Jira) RemoveMember(user, group string) error {
	if err := j.call(http.MethodDelete, "/group/user/direct?groupname="+url.QueryEscape(group)+"&username="+url.QueryEscape(user), "", nil); err != nil {
		return err
	}
	j.Copy.Members[low(group)] = without(j.Copy.Members[low(group)], user)
	return nil
}

func (j *Jira) dropUser(name string) {
	delete(j.Copy.Users, low(name))
	for g := range j.Copy.Members {
		j.Copy.Members[g] = without(j.Copy.Members[g], name)
	}
}

func (j *Jira) dropGroup(name string) {
	key := low(name)
	delete(j.Copy.Groups, key)
	delete(j.Copy.Members, key)
	delete(j.Copy.Children, key)
	for g := range j.Copy.Children {
		j.Copy.Children[g] = without(j.Copy.Children[g], name)
	}
}
