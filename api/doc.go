// Package api is what all REST handlers share: which part of a list is wanted, which format a
// body has, how bodies are read and written, and how a failure becomes an answer.
//
// A request passes through it in this order:
//
//	CallOf       what the doors remember of a request; it is the request's context, too
//	Enter        before routing: whose API it is, and how that API words its failures
//	ReadQuery    the query, decoded once; Param, Required, ReadPage and Flag read from it
//	FormatOf     XML or JSON: what the answer will be
//	ReadBody     the request's body, by its Content-Type
//	Write        an Entity, as XML or JSON; Stream for answers too long to build first
//	ErrorHandler whatever a handler returned instead, in the API's own words
//
// Which resources exist, and what they say, is the business of the packages below.
package api
