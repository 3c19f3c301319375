// Package crowd answers Atlassian Crowd's REST API, version 1 of "usermanagement", so that
// clients written for Crowd can't tell the difference. routes.go lists every resource.
//
// A request comes in like this:
//
//	base.go            is it ours? the path without its variants: /crowd, latest, .json
//	middleware.go      the application proves who it is, before any path is looked at
//	routes.go          the path and method find a handler
//	users.go …         read the request, ask the application's View, write the answer
//	shapes.go          what several resources are: 204 on a name, a list that is also a question
//	errors.go          a failure becomes a status and Crowd's reason
//
// What an application sees and may do is decided by package application, who may log in by
// package login; this package only translates. Files named wire_… hold what goes over the
// wire in answers; what comes in stands beside the handlers that read it.
package crowd
